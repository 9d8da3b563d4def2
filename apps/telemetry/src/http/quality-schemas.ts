import { z } from 'zod'
import { BANDS, CRITERIA, LOST_REASONS } from '#libs/dqi'
import { parseDayOrInstant, STATION_KINDS } from '#libs/model'
import {
  CursorParameter,
  Instant,
  inOrder,
  limitOf,
  list,
  ReadingView,
  RefusalView,
  StationCodeParameter,
  span,
  withPlus
} from './schemas.js'

/** The part of the HTTP contract about data quality: apps/telemetry/docs/quality.md says how points are counted. */

export const QualityQuery = z
  .object({
    station: StationCodeParameter.optional(),
    kind: z.enum(STATION_KINDS).optional(),
    group: z.enum(['station', 'kind']).optional().meta({ description: 'Unless told: kind, and station where one is asked for' }),
    ...span,
    limit: limitOf(100),
    after: CursorParameter
  })
  .refine(...inOrder)

const DayParameter = z
  .string()
  .transform((text, context) => {
    const at = parseDayOrInstant(withPlus(text))
    if (at !== undefined) return at
    context.addIssue({ code: 'custom', message: 'a day such as 2026-11-24, or an RFC 3339 instant with zone in it' })
    return z.NEVER
  })
  .meta({ format: 'date' })

export const LostQuery = z.object({
  day: DayParameter.optional(),
  criterion: z.enum(CRITERIA).optional(),
  limit: limitOf(500),
  after: CursorParameter
})

const Count = z.number().int().min(0)
const Score = z.number().min(0).max(100).nullable()
const Rule = z.object({ ok: Count, total: Count, score: Score.meta({ description: 'ok / total * 100; null: nothing to judge' }) })
const Band = z.enum(BANDS).nullable()
const day = z
  .string()
  .meta({ format: 'date', description: 'Day of UTC+7, of measurement; a day that runs is counted as far as it is over' })

const qualityShape = {
  state: z.enum(['scored', 'no-data']),
  dqi: Score.meta({ description: 'Weighted mean of the criteria that have a score; not rounded' }),
  band: Band.meta({ description: 'green >= 90, yellow 75 to < 90, red < 75, of the unrounded index; null: no-data' }),
  criteria: z.object({
    correct: Rule.meta({ description: 'đúng: of readings with status 00, those of flag 1 or 2' }),
    complete: Rule.meta({ description: 'đủ: of the readings that the interval promises, those that are there with status 00 or 01' }),
    clean: Rule.meta({ description: 'sạch: of what came, what was usable, undisputed, with its own status and a time that can be' }),
    live: Rule.meta({ description: 'sống: of what came, what came within 5 minutes of its instant' })
  }),
  lost: z
    .object(Object.fromEntries(LOST_REASONS.map(reason => [reason, Count])) as Record<(typeof LOST_REASONS)[number], typeof Count>)
    .meta({ description: 'Points lost, by reason: total - ok of the criteria' })
}

export const QualityDayView = z
  .object({
    day,
    kind: z.enum(STATION_KINDS),
    station: z.string().nullable().meta({ description: 'null: all stations of the kind' }),
    stations: Count,
    series: Count,
    notKept: Count.meta({ description: 'Stations left out because the readings of the day are not kept any more' }),
    ...qualityShape,
    parts: z
      .array(z.object({ name: z.string(), dqi: Score, band: Band, link: z.string().meta({ description: 'Where to look closer' }) }))
      .meta({ description: 'Stations of a kind, or series of a station, the lowest first, at most 64' })
  })
  .meta({ id: 'QualityDay' })

export const LostPointView = z
  .object({
    at: Instant.meta({ description: 'Of a reading its instant; where readings are missing the last before; of a refusal when it came' }),
    reasons: z.array(z.enum(LOST_REASONS)),
    criteria: z.array(z.enum(CRITERIA)),
    to: Instant.nullable().meta({ description: 'Where readings are missing: the next reading, or the end of what is over' }),
    missing: Count.nullable(),
    delaySeconds: z.number().nullable().meta({ description: 'From the reading’s instant until it came' }),
    reading: ReadingView.nullable(),
    refusal: RefusalView.omit({ payload: true, topic: true })
      .nullable()
      .meta({ description: 'parameter null: a whole message, which may have held this series' })
  })
  .meta({ id: 'QualityLostPoint', description: 'What lost points' })

export const QualityDayList = list(QualityDayView)
export const SeriesQualityView = list(LostPointView)
  .extend({
    station: z.string(),
    parameter: z.string(),
    day,
    ...qualityShape,
    kept: z.boolean().meta({ description: 'false: the readings of the day are not kept any more' }),
    stationRejected: z
      .object({ refused: Count, conflicting: Count })
      .meta({ description: 'Of the whole station, by day of receipt; they are counted in its `clean`, not in a series’' }),
    refusalsListed: z.boolean().meta({ description: 'false: too many refusals came later to list all of this day' })
  })
  .meta({ id: 'SeriesQuality' })
