/**
 * What quantrac keeps in InfluxDB 2: buckets, measurements, tags and fields. The boards are checked against this list, and
 * whoever reads the data with a tool of his own finds its words here. Tags are only what comes from a registry (stations,
 * parameters, rules) or from a short list of words: the number of series follows the number of instruments.
 */

/** Buckets by what they hold; each is named after the setting QUANTRAC_INFLUX_BUCKET. */
export const BUCKETS = {
  /** Readings as they came. */
  readings: '',
  /** Sums per hour, kept longer than readings. */
  hourly: '-hourly',
  /** Sums per day, kept for ever. */
  daily: '-daily',
  /** Everything else: the cursor, conflicts, what could not be stored, and what boards need beside the readings. */
  context: '-context'
} as const
export type BucketRole = keyof typeof BUCKETS

/** `quantrac`, `quantrac-hourly` … */
export const bucketName = (base: string, role: BucketRole): string => `${base}${BUCKETS[role]}`

export interface Measurement {
  readonly bucket: BucketRole
  readonly tags: readonly string[]
  /** Fields with their type in line protocol. */
  readonly fields: Readonly<Record<string, 'float' | 'integer' | 'string' | 'boolean'>>
  readonly meaning: string
}

const AGGREGATE_FIELDS = {
  received: 'integer',
  count: 'integer',
  expected: 'integer',
  completeness: 'float',
  valid_share: 'float',
  sufficient: 'boolean',
  mean: 'float',
  min: 'float',
  min_at: 'integer',
  max: 'float',
  max_at: 'integer',
  sum: 'float',
  p95: 'float',
  stddev: 'float',
  worst_flag: 'integer',
  exceedance_minutes: 'float',
  revision: 'integer',
  algorithm: 'integer',
  unit: 'string'
} as const

const aggregate = (bucket: BucketRole, of: string) =>
  ({
    bucket,
    tags: ['station', 'parameter'],
    fields: AGGREGATE_FIELDS,
    meaning: `${of} of a series at its end, rewritten with each revision; a figure that there is not has no field (apps/telemetry/docs/aggregates.md)`
  }) satisfies Measurement

export const MEASUREMENTS = {
  reading: {
    bucket: 'readings',
    tags: ['station', 'parameter'],
    fields: {
      value: 'float',
      flag: 'integer',
      status: 'string',
      revision: 'integer',
      sequence: 'integer',
      received_at: 'integer',
      extra: 'string'
    },
    meaning:
      'one reading at its instant. What is usual is left out: a point without `flag` has 1, without `status` 00, without `revision` 0; `extra` ' +
      '(JSON: unit, road, flags, reported) only where those differ from the parameter’s unit, mqtt, none, none'
  },
  hour: aggregate('hourly', 'an hour'),
  day: aggregate('daily', 'a day'),
  month: aggregate('daily', 'a month'),
  cursor: {
    bucket: 'context',
    tags: ['consumer'],
    fields: { sequence: 'integer' },
    meaning: 'last journal record whose readings are stored; one point at a fixed instant'
  },
  conflict: {
    bucket: 'context',
    tags: ['station', 'parameter'],
    fields: {
      at: 'integer',
      revision: 'integer',
      kept: 'float',
      other: 'float',
      status: 'string',
      unit: 'string',
      sequence: 'integer',
      received_at: 'integer'
    },
    meaning:
      'a second value for one identity with an equal revision, at the identity’s instant (its nanoseconds tell several apart); `status` and ' +
      '`unit` are the other’s; with sequence 0 it is no conflict any more, because an earlier journal record said the same'
  },
  set_aside: {
    bucket: 'context',
    tags: ['station', 'parameter'],
    fields: { at: 'integer', sequence: 'integer', reason: 'string', line: 'string' },
    meaning: 'a reading that InfluxDB refused for good, at its instant, with the reason and its line of line protocol'
  },
  fate: {
    bucket: 'context',
    tags: ['consumer'],
    fields: { items: 'string', up_to: 'integer' },
    meaning:
      'what became of readings of a journal record that were not new, for the ledger: one point for each record, as many milliseconds after ' +
      '1970 as its sequence; `items` is place and letter (r replaced, d repeated, c conflict, s set aside), `up_to`, written last, how far a batch was decided'
  },
  station: {
    bucket: 'context',
    tags: ['station'],
    fields: {
      name: 'string',
      kind: 'string',
      zone: 'string',
      agency: 'string',
      profile: 'string',
      lat: 'float',
      lon: 'float',
      parameters: 'integer',
      expected_seconds: 'integer'
    },
    meaning: 'the registry: one point for each station at a fixed instant'
  },
  series: {
    bucket: 'context',
    tags: ['station', 'parameter'],
    fields: { name: 'string', unit: 'string', limits: 'integer' },
    meaning: 'what a station measures, in which unit, and how many limits hold for it: one point for each series at a fixed instant'
  },
  station_state: {
    bucket: 'context',
    tags: ['station'],
    fields: { state: 'string', code: 'integer' },
    meaning: 'a station’s state each time it changes, and once an hour'
  },
  limit: {
    bucket: 'context',
    tags: ['station', 'parameter', 'rule'],
    fields: {
      low: 'float',
      low_preparing: 'float',
      low_tendency: 'float',
      high_tendency: 'float',
      high_preparing: 'float',
      high: 'float',
      unit: 'string',
      source: 'string'
    },
    meaning: 'limits of the rules file and where their bands begin, in the unit of the readings: one point for each at a fixed instant'
  },
  alarm: {
    bucket: 'context',
    tags: ['station', 'transition', 'severity'],
    fields: {
      position: 'integer',
      id: 'string',
      parameter: 'string',
      rule: 'string',
      kind: 'string',
      state: 'string',
      value: 'float',
      limit: 'float',
      unit: 'string'
    },
    meaning: 'one transition of an alarm at its instant; `position` is the order in which transitions were recorded'
  }
} as const satisfies Record<string, Measurement>
