import { z } from 'zod'
import type { ReviewReason } from '#libs/aggregates'
import type { Millis } from '#libs/model'
import { formatInstant, MINUTE } from '#libs/model'
import type { ReviewedCalibration } from '#libs/pipeline'
import { Instant } from './schemas.js'

export const CALIBRATION_STATES = ['ordinary', 'to-be-reviewed'] as const
const REASONS = ['after-exceedance', 'exceeds-meanwhile', 'too-long', 'too-often'] as const

export const CalibrationView = z
  .object({
    station: z.string(),
    parameter: z.string(),
    start: Instant,
    end: Instant.nullable().meta({ description: 'null: it has not ended yet' }),
    minutes: z.number(),
    readings: z.number().int(),
    state: z.enum(CALIBRATION_STATES),
    reasons: z.array(z.enum(REASONS)),
    exceededAt: Instant.nullable().meta({ description: 'the last measured value above a limit shortly before' }),
    exceedingMeanwhile: z.number().int().meta({ description: 'values sent under status 01 that lie above a limit' }),
    inDay: z.number().int(),
    text: z.object({ vi: z.string(), en: z.string() })
  })
  .meta({ id: 'Calibration', description: 'An indicator for review, never an accusation' })

const WORDS: Readonly<Record<ReviewReason, { readonly vi: string; readonly en: string }>> = {
  'after-exceedance': { vi: 'bắt đầu ngay sau khi vượt giới hạn', en: 'begins right after an exceedance' },
  'exceeds-meanwhile': { vi: 'giá trị trong lúc hiệu chuẩn vượt giới hạn', en: 'values under calibration lie above the limit' },
  'too-long': { vi: 'kéo dài quá mức cài đặt', en: 'lasts longer than the setting' },
  'too-often': { vi: 'quá nhiều lần trong 24 giờ', en: 'too many in 24 hours' }
}

export function calibrationView(one: ReviewedCalibration, now: Millis): z.infer<typeof CalibrationView> {
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
