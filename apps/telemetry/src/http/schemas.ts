import { z } from 'zod'
import type { Period } from '#libs/aggregates'
import { PERIODS } from '#libs/aggregates'
import { ALARM_STATES } from '#libs/alarms'
import { FLAG_REASONS, formatInstant, parseInstant, STATION_CODE, STATION_KINDS } from '#libs/model'

/** The shapes of the HTTP contract (design, section 7). OpenAPI is made from them; what is sent is checked by the tests. */

export const Instant = z.string().meta({ format: 'date-time', example: '2026-11-24T10:05:00+07:00' })

/** The `+` of a zone, which a query that was not escaped has turned into a space. */
export const withPlus = (text: string): string => text.replace(/ (\d{2}:\d{2})$/, '+$1')

/** An instant in a query: RFC 3339 with zone or epoch milliseconds. */
export const InstantParameter = z
  .string()
  .transform((text, context) => {
    const at = /^\d{1,14}$/.test(text) ? Number(text) : parseInstant(withPlus(text))
    if (at !== undefined) return at
    context.addIssue({ code: 'custom', message: 'an RFC 3339 instant with zone, or epoch milliseconds' })
    return z.NEVER
  })
  .meta({ format: 'date-time' })

export const limitOf = (fallback: number) => z.coerce.number().int().min(1).max(1_000).default(fallback)
export const StationCodeParameter = z.string().regex(STATION_CODE, 'a station code')
export const CursorParameter = z.string().max(200).optional()

/** The span that a query asks about, beside whatever else it takes: `z.object({ ...span, … }).refine(...inOrder)`. */
export const span = { from: InstantParameter.optional(), to: InstantParameter.optional() }
type Span = { readonly from?: number | undefined; readonly to?: number | undefined }
const isInOrder = ({ from, to }: Span): boolean => from === undefined || to === undefined || from < to
export const inOrder: [typeof isInOrder, { path: string[]; message: string }] = [
  isInOrder,
  { path: ['from'], message: 'from must be before to' }
]

export const StationPath = z.object({ code: StationCodeParameter })
export const SeriesPath = z.object({ station: StationCodeParameter, parameter: z.string().min(1).max(40) })
export const ListQuery = z.object({ limit: limitOf(500), after: CursorParameter })
export const LatestQuery = z.object({ limit: limitOf(1_000), after: CursorParameter, station: StationCodeParameter.optional() })
const AS = ['raw', 'corrected'] as const
/** Which series, and as it was known when: of every answer of readings and aggregates. */
const askedShape = { as: z.enum(AS).default('raw'), asOf: InstantParameter.optional() }
const page = { limit: limitOf(500), after: CursorParameter }
export const ReadingsQuery = z.object({ ...span, ...page }).refine(...inOrder)
export const SeriesReadingsQuery = z.object({ ...span, ...page, ...askedShape }).refine(...inOrder)
export const AggregatesQuery = z
  .object({ period: z.enum(PERIODS as [Period, ...Period[]]), ...span, ...page, ...askedShape })
  .refine(...inOrder)
export const ConflictsQuery = z.object({ limit: limitOf(100), after: CursorParameter })
export const RefusalsQuery = z.object({ limit: limitOf(100), after: CursorParameter, station: StationCodeParameter.optional() })
export const AlarmsQuery = z.object({
  limit: limitOf(100),
  after: CursorParameter,
  station: StationCodeParameter.optional(),
  open: z
    .enum(['true', 'false'])
    .transform(v => v === 'true')
    .optional(),
  state: z.enum(ALARM_STATES).optional()
})
export const AlarmPath = z.object({ id: z.string().min(1).max(200) })
export const AcknowledgeBody = z.strictObject({
  comment: z.string().max(2_000).default(''),
  /** Who acknowledges, where the token stands for a desk and not for a person. */
  by: z.string().min(1).max(100).optional()
})
export const StreamQuery = z.object({ station: StationCodeParameter.optional() })

export const list = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), next: z.string().nullable() })

export const StationView = z
  .object({
    code: z.string(),
    name: z.string(),
    nameEn: z.string().optional(),
    kind: z.enum(STATION_KINDS),
    profile: z.string(),
    zone: z.string(),
    agency: z.string(),
    position: z.object({ longitude: z.number(), latitude: z.number() }),
    parameters: z.array(z.string()),
    example: z.boolean(),
    state: z.enum(['good', 'tendency', 'preparing', 'exceeds', 'offline', 'adjusting', 'fault', 'no-limit', 'unknown'])
  })
  .meta({ id: 'Station' })

const readingShape = {
  station: z.string(),
  parameter: z.string(),
  at: Instant,
  value: z.number(),
  unit: z.string(),
  status: z.string().meta({ description: '00 measuring, 01 calibrating, 02 device error (Circular 10/2021, appendix 15)' }),
  flag: z.union([z.literal(1), z.literal(2), z.literal(3), z.literal(4), z.literal(9)]).meta({
    description: 'QARTOD flag; among readings of a series it is that of the quality tests too, elsewhere of the reading by itself'
  }),
  flags: z.array(z.enum(FLAG_REASONS as [string, ...string[]])),
  revision: z.number().int(),
  receivedAt: Instant,
  road: z.enum(['mqtt', 'http', 'file']),
  reported: z.object({ value: z.number(), unit: z.string() }).optional()
}
const corrections = z.array(z.number().int()).meta({ description: 'ids of the corrections that made it what it is; as=corrected alone' })
const replacedLater = 'hold a later revision than was known at asOf: what stood there by then is in the journal'
export const ReadingView = z
  .object({
    ...readingShape,
    corrections: corrections.optional(),
    tests: z.record(z.string(), readingShape.flag).optional().meta({
      description: 'QARTOD flag of each quality test, or rule, of the raw value; absent where nothing is tested or was not measured'
    }),
    excluded: z.boolean().optional().meta({ description: 'taken out of the statistics by a correction; as=corrected alone' }),
    raw: z
      .object({ value: z.number(), flag: readingShape.flag })
      .optional()
      .meta({ description: 'what the raw series says, where that differs' })
  })
  .meta({ id: 'Reading' })
export const VERDICTS = ['within', 'tendency', 'preparing', 'exceeds', 'no-limit', 'not-evaluated'] as const
const flagOrNull = z.union([readingShape.flag, z.null()])
const share = z.number().min(0).max(1)
export const AggregateView = z
  .object({
    station: z.string(),
    parameter: z.string(),
    period: z.enum(PERIODS as [Period, ...Period[]]),
    start: Instant.meta({ description: 'not within the window' }),
    end: Instant.meta({ description: 'within the window, which is stamped by it' }),
    unit: z.string(),
    received: z.number().int(),
    count: z.number().int().meta({ description: 'readings in the figures: status 00, flag 1 to 3' }),
    expected: z.number().int(),
    completeness: share,
    validShare: share.nullable(),
    sufficient: z.boolean(),
    mean: z.number().nullable(),
    min: z.number().nullable(),
    minAt: Instant.nullable(),
    max: z.number().nullable(),
    maxAt: Instant.nullable(),
    sum: z.number().nullable().meta({ description: 'volume (m3), fall (mm) or load (kg), where it has a sense' }),
    p95: z.number().nullable(),
    stddev: z.number().nullable(),
    worstFlag: flagOrNull,
    exceedanceMinutes: z.number(),
    revision: z.number().int().meta({
      description: 'rises with every change of what was published; 0 while provisional, and where it was computed for this answer'
    }),
    algorithm: z.number().int(),
    provisional: z.boolean().meta({ description: 'the window is open still, or nobody has summed it up yet' }),
    verdict: z.enum(VERDICTS).meta({ description: 'of the mean: an indicator for review' }),
    corrections: corrections.optional(),
    replacedLater: z
      .number()
      .int()
      .optional()
      .meta({ description: `readings of the window that ${replacedLater}; with asOf alone` })
  })
  .meta({ id: 'Aggregate' })
export const StatusIntervalView = z
  .object({
    station: z.string(),
    parameter: z.string(),
    status: z.string(),
    kind: z.enum(['calibration', 'fault']),
    start: Instant,
    end: Instant.nullable().meta({
      description: 'the next reading with another status, or three intervals of silence; null while it runs'
    }),
    minutes: z.number(),
    readings: z.number().int()
  })
  .meta({ id: 'StatusInterval', description: 'The readings in it are out of the statistics' })
export const LatestView = z
  .object({
    ...readingShape,
    verdict: z.enum(VERDICTS)
  })
  .meta({ id: 'LatestReading', description: 'The newest reading of a series with its verdict: an indicator for review' })
export const AlarmView = z
  .object({
    id: z.string(),
    kind: z.enum(['limit', 'silence']),
    station: z.string(),
    parameter: z.string().nullable(),
    rule: z.string(),
    severity: z.string(),
    state: z.string().meta({ description: 'State of ISA-18.2 / IEC 62682' }),
    value: z.number().nullable(),
    limit: z.number().nullable(),
    unit: z.string().nullable(),
    raisedAt: Instant,
    clearedAt: Instant.nullable(),
    acknowledgedAt: Instant.nullable(),
    acknowledgedBy: z.string().nullable(),
    comment: z.string().nullable(),
    source: z.string().nullable()
  })
  .meta({ id: 'Alarm' })
export const TransitionView = z
  .object({ id: z.string(), kind: z.string(), at: Instant, severity: z.string(), state: z.string(), value: z.number().nullable() })
  .meta({ id: 'AlarmTransition' })
export const AlarmWithHistory = AlarmView.extend({ history: z.array(TransitionView) }).meta({ id: 'AlarmWithHistory' })
export const RefusalView = z
  .object({
    sequence: z.number().int(),
    receivedAt: Instant,
    station: z.string().nullable(),
    road: z.enum(['mqtt', 'http', 'file']),
    topic: z.string(),
    reason: z.string(),
    detail: z.string(),
    parameter: z.string().nullable(),
    at: Instant.nullable(),
    payload: z.string().meta({ description: 'The first 4 KiB of what came in, base64' }),
    payloadBytes: z.number().int()
  })
  .meta({ id: 'Refusal' })
export const ConflictView = z
  .object({
    station: z.string(),
    parameter: z.string(),
    at: Instant,
    revision: z.number().int(),
    kept: z.number(),
    other: z.number(),
    sequence: z.number().int(),
    receivedAt: Instant
  })
  .meta({ id: 'Conflict' })
export const ReceiptView = z
  .object({
    sequence: z.number().int(),
    repeated: z.boolean(),
    accepted: z.number().int(),
    refused: z.array(z.object({ parameter: z.string().nullable(), at: Instant.nullable(), reason: z.string(), detail: z.string() }))
  })
  .meta({ id: 'Receipt', description: 'The message is on disk' })
export const ProblemView = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    code: z.string(),
    detail: z.string(),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional()
  })
  .meta({ id: 'Problem', description: 'Problem details of RFC 9457' })

export const StationList = list(StationView)
export const LatestList = list(LatestView)
/** Every answer says which series it is of, and as known when. */
const answered = { as: z.enum(AS), asOf: Instant.nullable().meta({ description: 'null: as known now' }) }
export const ReadingList = list(ReadingView).extend({
  ...answered,
  replacedLater: z.array(Instant).meta({ description: `instants of this page that ${replacedLater}` })
})
/** What a correction would make of the readings it is about. */
export const CorrectedList = list(ReadingView)
export const AggregateList = list(AggregateView).extend(answered)
export const StatusIntervalList = list(StatusIntervalView)
export const AlarmList = list(AlarmView)
export const RefusalList = list(RefusalView)
export const ConflictList = list(ConflictView)

type Given<T> = { [K in keyof T]: Exclude<T[K], undefined> }

/** A query without the parameters that were not given: absent and undefined are two things. */
export const given = <T extends object>(query: T): Given<T> =>
  Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)) as Given<T>

/** Opaque cursors of lists: base64url of whatever the list sorts by. */
export const toCursor = (key: string | number): string => Buffer.from(String(key)).toString('base64url')
export const fromCursor = (cursor: string): string => Buffer.from(cursor, 'base64url').toString()

export const instantOrNull = (at: number | null): string | null => (at === null ? null : formatInstant(at))
