import type { ThresholdsConfig, ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard'
import { MappingType, SpecialValueMatch, ThresholdsMode } from '@grafana/grafana-foundation-sdk/dashboard'

/**
 * States by their number in InfluxDB (the ministry's, regulations.md 1.6): one word and one colour each, the same on every board.
 * A colour never stands alone: wherever it is shown, the word is too. Chosen to differ for colour-blind eyes as well.
 */
export const STATES = [
  { code: 0, word: 'Tốt', color: '#2f9e44' },
  { code: 1, word: 'Có xu hướng vượt', color: '#ffe066' },
  { code: 2, word: 'Sắp vượt', color: '#f08c00' },
  { code: 3, word: 'Vượt giới hạn', color: '#c92a2a' },
  { code: 4, word: 'Mất tín hiệu', color: '#495057' },
  { code: 5, word: 'Đang hiệu chuẩn', color: '#4dabf7' },
  { code: 6, word: 'Lỗi thiết bị', color: '#9c36b5' },
  { code: 7, word: 'Chưa có giới hạn', color: '#adb5bd' },
  { code: 8, word: 'Chưa rõ', color: '#dee2e6' }
] as const

export const COLORS = {
  good: STATES[0].color,
  tendency: STATES[1].color,
  preparing: STATES[2].color,
  exceeds: STATES[3].color,
  offline: STATES[4].color,
  adjusting: STATES[5].color,
  fault: STATES[6].color,
  neutral: '#1c7ed6'
} as const

type Words = readonly (readonly [value: string | number, word: string, color?: string])[]

/** Values to words, in this order. */
export const words = (...rows: Words): ValueMapping => ({
  type: MappingType.ValueToText,
  options: Object.fromEntries(rows.map(([value, text, color], index) => [value, { text, index, ...(color ? { color } : {}) }]))
})

/** Numbers of station states to words and colours; no number yet: unknown. */
export const stateMappings = (): ValueMapping[] => [
  words(...STATES.map(({ code, word, color }) => [code, word, color] as const)),
  {
    type: MappingType.SpecialValue,
    options: { match: SpecialValueMatch.Null, result: { text: STATES[8].word, color: STATES[8].color, index: STATES.length } }
  }
]

export const bandMappings = (): ValueMapping =>
  words(
    ['tendency', STATES[1].word, STATES[1].color],
    ['preparing', STATES[2].word, STATES[2].color],
    ['exceeds', STATES[3].word, STATES[3].color],
    ['within', 'Trong giới hạn', STATES[0].color],
    ['not-evaluated', STATES[4].word, STATES[4].color]
  )

export const transitionMappings = (): ValueMapping =>
  words(
    ['raised', 'Báo động'],
    ['escalated', 'Tăng mức'],
    ['eased', 'Giảm mức'],
    ['cleared', 'Đã hết'],
    ['acknowledged', 'Đã tiếp nhận'],
    ['revised', 'Điều chỉnh'],
    ['withdrawn', 'Rút lại']
  )

export const alarmStateMappings = (): ValueMapping =>
  words(
    ['unacknowledged-active', 'Đang báo động, chưa tiếp nhận', COLORS.exceeds],
    ['acknowledged-active', 'Đang báo động, đã tiếp nhận', COLORS.preparing],
    ['rtn-unacknowledged', 'Đã hết, chưa tiếp nhận', COLORS.tendency],
    ['normal', 'Bình thường', COLORS.good]
  )

export const statusMappings = (): ValueMapping =>
  words(['00', 'Đang đo'], ['01', STATES[5].word, STATES[5].color], ['02', STATES[6].word, STATES[6].color])

/** Steps of a threshold: the first holds from below. */
export const thresholds = (base: string, ...steps: readonly (readonly [from: number, color: string])[]): ThresholdsConfig => ({
  mode: ThresholdsMode.Absolute,
  steps: [{ value: null, color: base }, ...steps.map(([value, color]) => ({ value, color }))]
})
