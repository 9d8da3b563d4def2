import type { Aggregate } from '#libs/aggregates'
import type { Millis, Verdict } from '#libs/model'
import { EARLIEST, LATEST } from '#libs/model'
import type { LawChange } from '#libs/regulation'
import type { AggregateLog, TermsOf } from './aggregate-ports.js'
import { markAnew } from './recompute.js'
import type { Standards } from './standards.js'
import { questionOf } from './standards.js'

/** A published mean whose verdict another state of the law changes. */
export interface Rejudged {
  readonly station: string
  readonly parameter: string
  readonly period: 'hour' | 'day'
  readonly start: Millis
  readonly end: Millis
  readonly mean: number
  readonly unit: string
  readonly before: Verdict
  readonly after: Verdict
}

export interface Rejudgement {
  /** Published hours and days in the stretches that changed. */
  readonly looked: number
  readonly changed: number
  /** How many went from one verdict to another: `hour within -> exceeds`. */
  readonly counts: ReadonlyMap<string, number>
  /** The first of them, days before hours. */
  readonly examples: readonly Rejudged[]
}

const PAGE = 1_000
const EXAMPLES = 100

interface Question {
  readonly before: Standards
  readonly after: Standards
  readonly changes: readonly LawChange[]
}

/** What another state of the law makes of everything that is published in the stretches that it changes. Reads, and changes nothing. */
export async function rejudge({ before, after, changes }: Question, aggregates: Pick<AggregateLog, 'find'>): Promise<Rejudgement> {
  const counts = new Map<string, number>()
  const examples: Rejudged[] = []
  let [looked, changed] = [0, 0]
  for (const period of ['day', 'hour'] as const) {
    for (const change of changes) {
      for await (const aggregate of published(change, period, aggregates)) {
        looked++
        const question = questionOf(aggregate)
        const [old, now] = [before.judge(question).verdict, after.judge(question).verdict]
        if (old === now || aggregate.mean === null) continue
        changed++
        const key = `${period} ${old} -> ${now}`
        counts.set(key, (counts.get(key) ?? 0) + 1)
        const { station, parameter, start, end, mean, unit } = aggregate
        if (examples.length < EXAMPLES) examples.push({ station, parameter, period, start, end, mean, unit, before: old, after: now })
      }
    }
  }
  return { looked, changed, counts, examples }
}

async function* published(
  { station, parameter, from, to }: LawChange,
  period: 'hour' | 'day',
  aggregates: Pick<AggregateLog, 'find'>
): AsyncGenerator<Aggregate> {
  let after = from ?? EARLIEST
  for (;;) {
    // A window is judged by what holds just before its end.
    const page = await aggregates.find({ station, parameter, period, from: after, to: to ?? LATEST, limit: PAGE })
    yield* page
    const last = page.at(-1)
    if (!last || page.length < PAGE) return
    after = last.end
  }
}

interface Marking {
  readonly aggregates: Pick<AggregateLog, 'find' | 'mark' | 'cursor' | 'publish'>
  readonly termsOf: TermsOf
  readonly now: Millis
}

/**
 * Asks for every published window in the stretches that changed to be summed up anew: minutes of exceedance rest on limits. Those whose
 * figures differ get the next revision. Gives how many were marked.
 */
export async function markChanged(changes: readonly LawChange[], { aggregates, termsOf, now }: Marking): Promise<number> {
  let marked = 0
  for (const { station, parameter, from, to } of changes) {
    const known = termsOf({ station, parameter })
    const [first] = known ? await aggregates.find({ station, parameter, period: 'day', from: from ?? EARLIEST, to: LATEST, limit: 1 }) : []
    if (!known || !first || (to !== null && first.start >= to)) continue
    const query = { station, parameter, from: Math.max(from ?? EARLIEST, first.start), to: Math.min(to ?? LATEST, now), now }
    if (query.from < query.to) marked += await markAnew(query, { aggregates, known })
  }
  return marked
}
