import type { Limit, LimitTerms } from '#libs/model'

/** What a rule demands of one parameter. Plain data: it is part of the engine's snapshot. */
export interface RuleLimitTerms extends LimitTerms {
  /** The rule's id. */
  readonly rule: string
  /** A band is entered when `k` of the last `n` usable readings are in it. */
  readonly k: number
  readonly n: number
}

export type RuleLimit = Limit & RuleLimitTerms
