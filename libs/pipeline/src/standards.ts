import type { Aggregate } from '#libs/aggregates'
import { CompiledRules, readRules } from '#libs/alarms'
import type { Limit, Reading, Station, Verdict } from '#libs/model'
import { isUsable, judge, MEASURING } from '#libs/model'
import type { LawSources, LegalVerdict, Question } from '#libs/regulation'
import { Law, readLaw } from '#libs/regulation'

/** The limits of a series that its readings are held against, each with the time in which it holds. */
export interface LimitSource {
  limitsOf(station: string, parameter: string): readonly Limit[]
}

export interface StandardsSources {
  /** `rules.yaml` as it stands. */
  readonly rules: unknown
  readonly law: LawSources
}

export type ReadStandards =
  | { readonly ok: true; readonly standards: Standards }
  | { readonly ok: false; readonly problems: readonly string[] }

/** Checks law and rules against the registry, the rules also against the law: one line for every problem. */
export function readStandards({ rules, law }: StandardsSources, stations: readonly Station[]): ReadStandards {
  const read = readLaw(law, stations)
  if (!read.ok) return { ok: false, problems: read.problems.map(({ document, path, message }) => `${document}: ${path}: ${message}`) }
  const compiled = readRules(rules, stations, (station, parameter) => read.law.limitsOf(station, parameter, 'reading'))
  return compiled.ok ? { ok: true, standards: new Standards(compiled.rules, read.law) } : compiled
}

/** The question that a published mean asks of the law. The window's end belongs to it, and the day after begins there: so an instant inside. */
export const questionOf = ({
  station,
  parameter,
  period,
  end,
  mean,
  unit
}: Pick<Aggregate, 'station' | 'parameter' | 'period' | 'end' | 'mean' | 'unit'>): Question => ({
  ...{ station, parameter, unit },
  at: end - 1,
  value: mean,
  window: period
})

/** A verdict with what it rests on: the law where a permit speaks of the series, else the limit of an alarm rule, which is advice. */
export interface StandardVerdict {
  readonly verdict: Verdict
  readonly limit: Limit | null
  /** Null: no permit speaks of the series. */
  readonly legal: LegalVerdict | null
}

/**
 * What values are held against. Where some permit speaks of a series the law judges it, and where the law then has no limit there is
 * none: a rule of the province's own never takes its place. Only series that the law leaves alone are judged by the alarm rules.
 */
export class Standards implements LimitSource {
  #rules: CompiledRules
  #law: Law

  constructor(rules: CompiledRules, law: Law) {
    this.#rules = rules
    this.#law = law
  }

  /** Nothing has a limit. */
  static none(): Standards {
    return new Standards(new CompiledRules({ limits: [], silences: [] }), new Law([], [], []))
  }

  get rules(): CompiledRules {
    return this.#rules
  }

  get law(): Law {
    return this.#law
  }

  /** From now on these hold: every question that follows is answered by them, about the past too. */
  adopt(next: Standards): void {
    this.#rules = next.rules
    this.#law = next.law
  }

  limitsOf(station: string, parameter: string): readonly Limit[] {
    return this.#law.concerns(station, parameter)
      ? this.#law.limitsOf(station, parameter, 'reading')
      : this.#rules.limitsOf(station, parameter)
  }

  /** Of one reading. One that is not usable is `not-evaluated`, whatever its value. */
  readonly verdictOf = (reading: Reading): Verdict => this.judgeReading(reading).verdict

  judgeReading(reading: Reading): StandardVerdict {
    const value = isUsable(reading) ? reading.value : null
    const { station, parameter, at, unit } = reading
    return this.judge({ station, parameter, at, value, unit, window: 'reading' })
  }

  judge(question: Question): StandardVerdict {
    const { station, parameter, at, value, unit } = question
    if (this.#law.concerns(station, parameter)) {
      const legal = this.#law.judge(question)
      return { verdict: legal.verdict, limit: legal.limit, legal }
    }
    const limits = this.#rules.limitsOf(station, parameter)
    if (value === null) return { verdict: limits.length === 0 ? 'no-limit' : 'not-evaluated', limit: null, legal: null }
    return { ...judge({ value, unit, at, status: MEASURING, flag: 1, flags: [] }, limits), legal: null }
  }
}
