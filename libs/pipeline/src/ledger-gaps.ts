import type { Millis } from '#libs/model'
import type { Spans } from './ledger-spans.js'
import { pairsOf, unite } from './ledger-spans.js'

/**
 * Why a series has no reading, the surest first:
 * - `server`: we did not run, or could not acknowledge.
 * - `offline`: the station had said that it is offline, or its will for it.
 * - `clock`: messages came whose time is ahead or cannot be read.
 * - `refused`: what was measured came, and was refused.
 * - `absent`: messages of the station came, without this parameter or for another time.
 * - `silent`: nothing came at all.
 */
export type GapCause = 'server' | 'offline' | 'clock' | 'refused' | 'absent' | 'silent'

export const GAP_CAUSES: readonly GapCause[] = ['server', 'offline', 'clock', 'refused', 'absent', 'silent']

export interface GapPart {
  readonly cause: GapCause
  readonly from: Millis
  readonly to: Millis
}

export interface Gap {
  readonly from: Millis
  readonly to: Millis
  /** Nothing has come since: it may still grow. */
  readonly open: boolean
  /** What most of it is due to. */
  readonly cause: GapCause
  readonly parts: readonly GapPart[]
}

/** What is known of a station around a gap. */
export type Evidence = Readonly<Record<Exclude<GapCause, 'silent'>, readonly Millis[]>>

export interface GapQuestion {
  /** Where the series has readings, of the window and of at least a tolerance on either side. */
  readonly covered: readonly Millis[]
  readonly evidence: Evidence
  readonly interval: Millis
  /** A distance up to this is no gap. */
  readonly tolerance: Millis
  /** Gaps are cut to `from <= at < to`. */
  readonly window: { readonly from: Millis; readonly to: Millis }
  /** Before this nobody was there to receive: no gap begins earlier, unless between two readings. */
  readonly begin: Millis
  readonly now: Millis
}

/** The gaps of a series in a window, each with its causes. A late reading that fills one makes it go. */
export function gapsOf(question: GapQuestion): Gap[] {
  const { covered, window, tolerance, now, begin } = question
  const gaps: Gap[] = []
  const spans = pairsOf(unite([covered], tolerance))
  let after = Math.min(begin, spans[0]?.[0] ?? begin)
  for (const [start, end] of [...spans, [now, now] as const]) {
    if (start - after > tolerance) {
      const cut = { from: Math.max(after, window.from), to: Math.min(start, window.to, now) }
      if (cut.from < cut.to) gaps.push(withCauses({ ...cut, open: start === now && end === now && cut.to === now }, question))
    }
    after = Math.max(after, end)
  }
  return gaps
}

function withCauses(gap: Pick<Gap, 'from' | 'to' | 'open'>, { evidence, interval }: GapQuestion): Gap {
  const parts = absorbShort(split(gap, evidence, interval), interval)
  const totals = new Map<GapCause, number>()
  for (const { cause, from, to } of parts) totals.set(cause, (totals.get(cause) ?? 0) + to - from)
  const [cause] = [...totals].reduce((most, each) => (each[1] > most[1] ? each : most))
  return { ...gap, cause, parts }
}

/** Cuts a gap where the surest cause changes. */
function split({ from, to }: Pick<Gap, 'from' | 'to'>, evidence: Evidence, interval: Millis): GapPart[] {
  const known = GAP_CAUSES.flatMap(cause => (cause === 'silent' ? [] : [{ cause, spans: around(cause, evidence[cause], interval) }]))
  const edges = known.flatMap(({ spans }) => spans).filter(at => at > from && at < to)
  const cuts = [...new Set([from, ...edges, to])].sort((a, b) => a - b)
  const parts: GapPart[] = []
  for (let i = 0; i + 1 < cuts.length; i++) {
    const [begin, end] = [cuts[i] ?? from, cuts[i + 1] ?? to]
    const middle = (begin + end) / 2
    const cause = known.find(({ spans }) => pairsOf(spans).some(([a, b]) => a <= middle && middle <= b))?.cause ?? 'silent'
    const last = parts.at(-1)
    if (last?.cause === cause) parts[parts.length - 1] = { ...last, to: end }
    else parts.push({ cause, from: begin, to: end })
  }
  return parts
}

/** A message stands for the interval before it and the one after it; that messages came at all says nothing beyond them. */
function around(cause: GapCause, spans: readonly Millis[], interval: Millis): Spans {
  const margin = cause === 'absent' ? 0 : interval
  return unite([pairsOf(spans).flatMap(([a, b]) => [a - margin, b + margin])], 0)
}

/** What is shorter than an interval is the blur between two causes. */
function absorbShort(parts: readonly GapPart[], interval: Millis): GapPart[] {
  const kept: GapPart[] = []
  for (const part of parts) {
    const last = kept.at(-1)
    const isShort = part.to - part.from < interval
    if (last && (isShort || last.cause === part.cause)) kept[kept.length - 1] = { ...last, to: part.to }
    else if (last && last.to - last.from < interval) kept[kept.length - 1] = { ...part, from: last.from }
    else kept.push(part)
  }
  return kept
}

/** The times between runs, within a window; before the first run there is none. */
export function downtimes(runs: readonly Millis[], window: { readonly from: Millis; readonly to: Millis }): Spans {
  const pairs = pairsOf(unite([runs], 0))
  return pairs.slice(1).flatMap(([since], n) => {
    const [from, to] = [Math.max(pairs[n]?.[1] ?? since, window.from), Math.min(since, window.to)]
    return from < to ? [from, to] : []
  })
}
