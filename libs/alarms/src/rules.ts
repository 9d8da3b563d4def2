import type { Millis } from '#libs/model'
import { fingerprintOf, limitOf } from '#libs/model'
import type { RuleLimit, RuleLimitTerms } from './limit.js'

/** How long a station may stay unheard before that is an alarm. */
export interface SilenceTerms {
  readonly rule: string
  readonly after: Millis
}

interface Applied<Terms> {
  readonly terms: Terms
  readonly stations: readonly string[]
}

/** Everything that `CompiledRules` is made of: plain data, so that a snapshot can hold the rules that its state was folded by. */
export interface RuleTerms {
  readonly limits: readonly Applied<RuleLimitTerms>[]
  readonly silences: readonly Applied<SilenceTerms>[]
}

const NONE: readonly RuleLimit[] = []

/** The registry's rules, checked, in canonical units, and looked up by station and parameter. */
export class CompiledRules {
  readonly terms: RuleTerms
  /** Equal for equal rules; another one for any other. */
  readonly fingerprint: string
  readonly #limits = new Map<string, Map<string, RuleLimit[]>>()
  readonly #silences = new Map<string, SilenceTerms>()

  constructor(terms: RuleTerms) {
    this.terms = terms
    this.fingerprint = fingerprintOf(JSON.stringify(terms))
    for (const { terms: limitTerms, stations } of terms.limits) {
      const limit = limitOf(limitTerms)
      for (const station of stations) this.#addLimit(station, limit)
    }
    for (const silence of terms.silences) for (const station of silence.stations) this.#silences.set(station, silence.terms)
  }

  /** The limits of one series, in the order of the rules; none = "no limit loaded". */
  limitsOf(station: string, parameter: string): readonly RuleLimit[] {
    return this.#limits.get(station)?.get(parameter) ?? NONE
  }

  silenceOf(station: string): SilenceTerms | undefined {
    return this.#silences.get(station)
  }

  #addLimit(station: string, limit: RuleLimit): void {
    let series = this.#limits.get(station)
    if (!series) this.#limits.set(station, (series = new Map<string, RuleLimit[]>()))
    const limits = series.get(limit.parameter)
    if (limits) limits.push(limit)
    else series.set(limit.parameter, [limit])
  }
}
