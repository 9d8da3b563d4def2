import { Controller, Get, Inject, Param, Query } from '@nestjs/common'
import { z } from 'zod'
import type { ReviewReason } from '#libs/aggregates'
import type { Millis } from '#libs/model'
import { CALIBRATION_TERMS, DAY, formatInstant, MINUTE } from '#libs/model'
import type { ReviewedCalibration } from '#libs/pipeline'
import { CalibrationReviews } from '#libs/pipeline'
import type { Stations } from '../wiring/stations.js'
import { STATIONS } from '../wiring/tokens.js'
import { Documented } from './documented.js'
import { notFound, tooLong } from './problem.js'
import { Instant, inOrder, StationPath, span } from './schemas.js'

/** What is looked at unless the query says from where, and at most. */
const USUAL: Millis = DAY
const LONGEST: Millis = 31 * DAY

const CalibrationsQuery = z.object(span).refine(...inOrder)

const REASONS = ['after-exceedance', 'exceeds-meanwhile', 'too-long', 'too-often'] as const

const CalibrationView = z
  .object({
    station: z.string(),
    parameter: z.string(),
    start: Instant,
    end: Instant.nullable().meta({ description: 'null: it has not ended yet' }),
    minutes: z.number(),
    readings: z.number().int(),
    state: z.enum(['ordinary', 'to-be-reviewed']),
    reasons: z.array(z.enum(REASONS)),
    exceededAt: Instant.nullable().meta({ description: 'the last measured value above a limit shortly before' }),
    exceedingMeanwhile: z.number().int().meta({ description: 'values sent under status 01 that lie above a limit' }),
    inDay: z.number().int(),
    text: z.object({ vi: z.string(), en: z.string() })
  })
  .meta({ id: 'Calibration', description: 'An indicator for review, never an accusation' })
const CalibrationList = z.object({ items: z.array(CalibrationView) })

const WORDS: Readonly<Record<ReviewReason, { readonly vi: string; readonly en: string }>> = {
  'after-exceedance': { vi: 'bắt đầu ngay sau khi vượt giới hạn', en: 'begins right after an exceedance' },
  'exceeds-meanwhile': { vi: 'giá trị trong lúc hiệu chuẩn vượt giới hạn', en: 'values under calibration lie above the limit' },
  'too-long': { vi: 'kéo dài quá mức cài đặt', en: 'lasts longer than the setting' },
  'too-often': { vi: 'quá nhiều lần trong 24 giờ', en: 'too many in 24 hours' }
}

@Controller('api/v1/stations')
export class CalibrationsController {
  readonly #reviews: CalibrationReviews
  readonly #stations: Stations

  constructor(@Inject(CalibrationReviews) reviews: CalibrationReviews, @Inject(STATIONS) stations: Stations) {
    this.#reviews = reviews
    this.#stations = stations
  }

  @Get(':code/calibrations')
  @Documented({
    right: 'read',
    summary: 'Calibrations (01) of a station, and which of them are to be reviewed; the last day unless told, at most 31',
    ok: CalibrationList,
    problems: [400, 404]
  })
  async list(
    @Param({ schema: StationPath }) { code }: z.infer<typeof StationPath>,
    @Query({ schema: CalibrationsQuery }) query: z.infer<typeof CalibrationsQuery>
  ) {
    const station = this.#stations.byCode.get(code)
    if (!station) throw notFound(`station ${code}`)
    const now = Date.now()
    const to = query.to ?? now + 1
    const from = query.from ?? to - USUAL
    if (to - from > LONGEST) throw tooLong(LONGEST)
    const terms = { ...CALIBRATION_TERMS, ...station.calibration }
    const items: z.infer<typeof CalibrationView>[] = []
    for (const parameter of station.parameters) {
      for (const one of await this.#reviews.find({ station: code, parameter }, { from, to }, terms)) items.push(view(one, now))
    }
    return { items: items.sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0)) }
  }
}

function view(one: ReviewedCalibration, now: Millis): z.infer<typeof CalibrationView> {
  const { station, parameter, start, end, readings, reasons, exceededAt, exceedingMeanwhile, inDay } = one
  const isReviewed = reasons.length > 0
  const words = (language: 'vi' | 'en') => reasons.map(reason => WORDS[reason][language]).join('; ')
  return {
    ...{ station, parameter, readings, exceedingMeanwhile, inDay, reasons: [...reasons] },
    start: formatInstant(start),
    end: end > now ? null : formatInstant(end),
    minutes: (Math.min(end, now) - start) / MINUTE,
    state: isReviewed ? 'to-be-reviewed' : 'ordinary',
    exceededAt: exceededAt === null ? null : formatInstant(exceededAt),
    text: {
      vi: isReviewed ? `Hiệu chuẩn cần xem xét: ${words('vi')}` : 'Hiệu chuẩn thông thường',
      en: isReviewed ? `Calibration to be reviewed: ${words('en')}` : 'Ordinary calibration'
    }
  }
}
