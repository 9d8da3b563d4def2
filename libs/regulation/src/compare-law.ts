import type { Millis } from '#libs/model'
import { covers } from './document.js'
import type { Law, LegalSpan } from './law.js'
import type { LegalLimit } from './limits.js'

/** A stretch of a series' time in which other limits hold than before. */
export interface LawChange {
  readonly station: string
  readonly parameter: string
  readonly from: Millis | null
  readonly to: Millis | null
  readonly before: LegalSpan
  readonly after: LegalSpan
}

/** What differs between two states of the law for one series, in ascending time. Equal numbers under another document differ too. */
export function compareLaw(before: Law, after: Law, station: string, parameter: string): LawChange[] {
  const olds = before.spansOf(station, parameter)
  const news = after.spansOf(station, parameter)
  const bounds = [...new Set([...olds, ...news].map(({ from }) => from ?? -Infinity))].sort((a, b) => a - b)
  const changes: LawChange[] = []
  bounds.forEach((start, index) => {
    const [old, now] = [holding(olds, start), holding(news, start)]
    if (!old || !now || essence(old) === essence(now)) return
    const [from, to] = [start === -Infinity ? null : start, bounds[index + 1] ?? null]
    const last = changes.at(-1)
    if (last && last.to === from && last.before === old && last.after === now) changes[changes.length - 1] = { ...last, to }
    else changes.push({ station, parameter, from, to, before: old, after: now })
  })
  return changes
}

const holding = (spans: readonly LegalSpan[], at: number): LegalSpan | undefined => spans.find(span => covers(span, at))

const essence = ({ limits, gap }: LegalSpan): string => JSON.stringify([gap, limits.map(essential)])

const essential = ({ high, low, reached, bands, window, level, basis }: LegalLimit): unknown => [
  [high, low, reached, bands, window, level],
  [basis.regulation, basis.column, basis.flowClass, basis.kq, basis.kf, basis.own, basis.permit, basis.version]
]
