import type { Verdict } from '#libs/model'
import { formatInstant } from '#libs/model'
import type { JudgedWindow, LegalVerdict, Question, Reason } from './law.js'
import type { Basis, LegalLimit } from './limits.js'

export type Language = 'vi' | 'en'

/** The readings behind a value: `start < at <= end`, or one instant. */
export interface Rows {
  readonly count: number
  readonly start: number
  readonly end: number
}

const VERDICTS: Readonly<Record<Verdict, Readonly<Record<Language, string>>>> = {
  within: { vi: 'trong giới hạn', en: 'within the limit' },
  tendency: { vi: 'có xu hướng vượt', en: 'tending towards the limit' },
  preparing: { vi: 'sắp vượt', en: 'about to exceed' },
  exceeds: { vi: 'vượt giới hạn', en: 'exceeds the limit' },
  'no-limit': { vi: 'chưa có giới hạn', en: 'no limit loaded' },
  'not-evaluated': { vi: 'chưa đánh giá', en: 'not evaluated' }
}

const REASONS: Readonly<Record<Reason, Readonly<Record<Language, string>>>> = {
  'no-permit': { vi: 'trạm không có giấy phép nào có hiệu lực tại thời điểm này', en: 'no permit of the station is in force at this time' },
  'not-in-force': { vi: 'quy chuẩn chưa có hiệu lực', en: 'the regulation is not in force yet' },
  replaced: {
    vi: 'quy chuẩn đã bị thay thế và cơ sở không thuộc diện chuyển tiếp',
    en: 'the regulation has been replaced and the facility may not stay with it'
  },
  'no-limit-loaded': {
    vi: 'bảng giới hạn của quy chuẩn chưa được nạp; không có nghĩa là đạt',
    en: "the regulation's table has not been loaded; this is not compliance"
  },
  'not-regulated': {
    vi: 'quy chuẩn không quy định thông số này cho cột này',
    en: 'the regulation has no limit for this parameter and column'
  },
  'other-window': { vi: 'giới hạn dành cho trung bình của khoảng thời gian khác', en: 'the limit is for the mean of another window' },
  'no-value': {
    vi: 'không có giá trị dùng được (hiệu chuẩn, lỗi thiết bị hoặc không có số liệu)',
    en: 'no usable value (calibration, fault, or nothing measured)'
  }
}

const WINDOWS: Readonly<Record<JudgedWindow, Readonly<Record<Language, string>>>> = {
  reading: { vi: 'số đo', en: 'reading' },
  hour: { vi: 'trung bình 1 giờ', en: '1 h mean' },
  '8-hours': { vi: 'trung bình 8 giờ', en: '8 h mean' },
  day: { vi: 'trung bình 24 giờ', en: '24 h mean' },
  month: { vi: 'trung bình tháng', en: 'monthly mean' },
  year: { vi: 'trung bình năm', en: 'yearly mean' }
}

const LABELS = {
  vi: {
    verdict: 'đánh giá',
    note: 'chỉ báo để xem xét, không phải kết luận vi phạm',
    value: 'giá trị',
    none: 'không có',
    rows: 'số đo',
    limit: 'giới hạn',
    law: 'căn cứ',
    issued: 'nguồn',
    permit: 'giấy phép',
    validity: 'hiệu lực',
    version: 'phiên bản',
    confidence: 'độ tin cậy',
    reason: 'lý do'
  },
  en: {
    verdict: 'verdict',
    note: 'an indicator for review, not a finding of violation',
    value: 'value',
    none: 'none',
    rows: 'readings',
    limit: 'limit',
    law: 'law',
    issued: 'source',
    permit: 'permit',
    validity: 'in force',
    version: 'version',
    confidence: 'confidence',
    reason: 'reason'
  }
} as const

export const verdictName = (verdict: Verdict, language: Language): string => VERDICTS[verdict][language]
export const reasonText = (reason: Reason, language: Language): string => REASONS[reason][language]
export const windowName = (window: JudgedWindow, language: Language): string => WINDOWS[window][language]

/**
 * A verdict told in full, a line each, label before text: value, window and rows used; limit; regulation, column and coefficients;
 * permit; validity; version of the rule. What there is not is left out, never guessed.
 */
export function explain(question: Question, judged: LegalVerdict, rows: Rows | null, language: Language): string[] {
  const label = LABELS[language]
  const { verdict, reason, limit, basis, span } = judged
  const lines: [string, string][] = [
    [label.value, valueLine(question, rows, language)],
    [label.verdict, `${verdict} = ${verdictName(verdict, language)} (${label.note})`]
  ]
  if (reason) lines.push([label.reason, reasonText(reason, language)])
  if (limit) lines.push([label.limit, limitLine(limit, language)])
  if (basis) lines.push([label.law, lawLine(basis, limit?.unit ?? question.unit, language)], [label.issued, basis.source])
  if (span.permit) lines.push([label.permit, `${span.permit.id}: ${span.permit.document}`])
  lines.push([label.validity, `${instantOr(span.from, '…')} → ${instantOr(span.to, '…')}`])
  if (basis) lines.push([label.version, basis.version], [label.confidence, basis.confidence])
  const width = Math.max(...lines.map(([name]) => name.length))
  return lines.map(([name, text]) => `${name.padEnd(width)}  ${text}`)
}

function valueLine({ value, unit, window, at }: Question, rows: Rows | null, language: Language): string {
  const text = value === null ? LABELS[language].none : withUnit(value, unit, language)
  const span =
    rows && rows.start !== rows.end ? `${formatInstant(rows.start)} → ${formatInstant(rows.end)}` : formatInstant(rows?.end ?? at)
  return `${text}, ${windowName(window, language)} ${span}${rows ? `, ${rows.count} ${LABELS[language].rows}` : ''}`
}

function limitLine({ low, high, reached, unit, severity }: LegalLimit, language: Language): string {
  const bounds = [
    ...(low === null ? [] : [`${reached ? '>' : '≥'} ${withUnit(low, unit, language)}`]),
    ...(high === null ? [] : [`${reached ? '<' : '≤'} ${withUnit(high, unit, language)}`])
  ].join(language === 'vi' ? ' và ' : ' and ')
  return severity === null ? bounds : `${severity}: ${bounds}`
}

function lawLine(basis: Basis, unit: string, language: Language): string {
  const [column, flow, own] =
    language === 'vi' ? ['cột', 'mức lưu lượng', 'giới hạn riêng của giấy phép'] : ['column', 'flow class', "the permit's own limit"]
  const parts = [basis.column === null ? basis.title : `${basis.title}, ${column} ${basis.column}`]
  if (basis.flowClass !== null) parts.push(`${flow} ${basis.flowClass}`)
  if (basis.own) parts.push(own)
  if (basis.condition !== null) parts.push(basis.condition)
  if (basis.kq !== null && basis.kf !== null) {
    const base = [basis.base.min, basis.base.max].filter(value => value !== null).map(value => number(value, language))
    parts.push(
      `Cmax = C × Kq × Kf = ${base.join('–')}${unit === '-' ? '' : ` ${unit}`} × ${number(basis.kq, language)} × ${number(basis.kf, language)}`
    )
  }
  return parts.join(', ')
}

const instantOr = (at: number | null, open: string): string => (at === null ? open : formatInstant(at))

const number = (value: number, language: Language): string =>
  language === 'vi' ? String(Number(value.toPrecision(6))).replace('.', ',') : String(Number(value.toPrecision(6)))

const withUnit = (value: number, unit: string, language: Language): string => `${number(value, language)}${unit === '-' ? '' : ` ${unit}`}`
