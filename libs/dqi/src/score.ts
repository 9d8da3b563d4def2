import type { DqiSettings } from './config.js'
import type { Criterion, DayCounts, RuleCount } from './counts.js'
import { CRITERIA } from './counts.js'

export const BANDS = ['green', 'yellow', 'red'] as const
export type Band = (typeof BANDS)[number]

export interface ScoredRule extends RuleCount {
  /** 0 to 100; null where nothing was owed or sent that could be judged: neither 0 nor 100. */
  readonly score: number | null
}

export interface Quality {
  readonly criteria: Readonly<Record<Criterion, ScoredRule>>
  readonly state: 'scored' | 'no-data'
  /** Mean of the criteria that have a score, by their weights; null for `no-data`. Not rounded. */
  readonly dqi: number | null
  /** Of the unrounded index; null for `no-data`. */
  readonly band: Band | null
}

/** The quality of a day of a data set (regulations.md 6.1). A criterion without a score leaves its weight to the others. */
export function scoreDay({ rules }: DayCounts, { weights, bands }: Pick<DqiSettings, 'weights' | 'bands'>): Quality {
  const criteria = {
    correct: scored(rules.correct),
    complete: scored(rules.complete),
    clean: scored(rules.clean),
    live: scored(rules.live)
  }
  const parts = CRITERIA.flatMap(name => {
    const { score } = criteria[name]
    return score === null || weights[name] === 0 ? [] : [{ score, weight: weights[name] }]
  })
  const dqi = weightedMean(parts)
  return { criteria, state: dqi === null ? 'no-data' : 'scored', dqi, band: dqi === null ? null : bandOf(dqi, bands) }
}

/** 89.99 is yellow, however it is printed (regulations.md 9: 89.9, 90, 75, 74.9 are the edges). */
export const bandOf = (score: number, { green, yellow }: DqiSettings['bands']): Band =>
  score >= green ? 'green' : score >= yellow ? 'yellow' : 'red'

// Multiplied first: of whole numbers an exact 90 then stays one.
const scored = ({ ok, total }: RuleCount): ScoredRule => ({ ok, total, score: total === 0 ? null : (100 * ok) / total })

/** Null without parts. Around the first part, so that equal scores have exactly that mean. */
function weightedMean(parts: readonly { readonly score: number; readonly weight: number }[]): number | null {
  const [first] = parts
  if (!first) return null
  const weight = parts.reduce((sum, part) => sum + part.weight, 0)
  return first.score + parts.reduce((sum, part) => sum + part.weight * (part.score - first.score), 0) / weight
}
