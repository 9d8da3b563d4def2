import type { Judgement, Millis, Station, Verdict } from '#libs/model'
import { fingerprintOf, judge, MEASURING } from '#libs/model'
import type { LimitWindow } from './config.js'
import type { PermitTerms, RegulationTable } from './document.js'
import { covers } from './document.js'
import type { Basis, LegalLimit, NoLimit } from './limits.js'
import { legalLimits } from './limits.js'

/** What holds for a series over a span of time: the limits, or why there are none. */
export interface LegalSpan {
  /** `from <= at < to`; null is without end on that side. */
  readonly from: Millis | null
  readonly to: Millis | null
  readonly permit: PermitTerms | null
  /** Empty: `gap` says why. Several where a quantity has levels, or limits for different means. */
  readonly limits: readonly LegalLimit[]
  readonly gap: NoLimit | null
}

/** What is judged: a reading, or the mean of a window. */
export interface Question {
  readonly station: string
  readonly parameter: string
  /** The reading's instant. Of a window, an instant inside it: its end belongs to the window that it closes. */
  readonly at: Millis
  /** Null: there is no value that may be judged (calibration, fault, nothing measured). */
  readonly value: number | null
  readonly unit: string
  readonly window: JudgedWindow
}

/** A reading by itself, or the mean of so long; a month is held against limits that name no window. */
export type JudgedWindow = 'reading' | 'month' | Exclude<LimitWindow, 'any'>

/** Why a verdict is `no-limit` or `not-evaluated`. */
export type Reason = NoLimit | 'other-window' | 'no-value'

/** An indicator for review, never a violation. It names what it rests on. */
export interface LegalVerdict {
  readonly verdict: Verdict
  readonly reason: Reason | null
  /** The limit that decided: of several the one whose band is the worst. */
  readonly limit: LegalLimit | null
  readonly basis: Basis | null
  readonly span: LegalSpan
}

const NOWHERE: LegalSpan = { from: null, to: null, permit: null, limits: [], gap: 'no-permit' }

/**
 * Regulations and permits, and what follows from them for a series at an instant. Everything is computed from dated data: asking about
 * the past gives the law of the past.
 */
export class Law {
  readonly regulations: ReadonlyMap<string, RegulationTable>
  readonly permits: readonly PermitTerms[]
  /** Equal for equal contents. */
  readonly fingerprint: string
  readonly #byStation = new Map<string, PermitTerms[]>()
  readonly #stations: ReadonlyMap<string, Station>
  readonly #spans = new Map<string, readonly LegalSpan[]>()

  constructor(regulations: readonly RegulationTable[], permits: readonly PermitTerms[], stations: readonly Station[]) {
    this.regulations = new Map(regulations.map(regulation => [regulation.id, regulation]))
    this.permits = permits
    this.#stations = new Map(stations.map(station => [station.code, station]))
    for (const permit of permits) {
      const group = this.#byStation.get(permit.station)
      if (group) group.push(permit)
      else this.#byStation.set(permit.station, [permit])
    }
    this.fingerprint = fingerprintOf(JSON.stringify([regulations.map(({ digest }) => digest), permits.map(({ digest }) => digest)]))
  }

  permitsOf(station: string): readonly PermitTerms[] {
    return this.#byStation.get(station) ?? []
  }

  /** True where some permit of the station speaks of the parameter, at whatever time: then the law judges it, and nobody else. */
  concerns(station: string, parameter: string): boolean {
    return this.permitsOf(station).some(permit => speaksOf(permit, parameter))
  }

  /** All of a series' time, cut where what holds changes. Ascending; the first and the last reach without end. */
  spansOf(station: string, parameter: string): readonly LegalSpan[] {
    const key = `${station}/${parameter}`
    const known = this.#spans.get(key)
    if (known) return known
    const spans = this.concerns(station, parameter) ? this.#cut(station, parameter) : [NOWHERE]
    this.#spans.set(key, spans)
    return spans
  }

  spanAt(station: string, parameter: string, at: Millis): LegalSpan {
    return this.spansOf(station, parameter).find(span => covers(span, at)) ?? NOWHERE
  }

  /** The limits of a series of all times, each with its validity, that a value of this window is held against. */
  limitsOf(station: string, parameter: string, window: JudgedWindow): LegalLimit[] {
    return this.spansOf(station, parameter).flatMap(span => span.limits.filter(limit => fits(limit, window)))
  }

  /** The regulation in force that classifies water (`waterClass`); undefined where there is none. */
  classifierAt(at: Millis): RegulationTable | undefined {
    return [...this.regulations.values()].find(table => table.classes !== null && covers(table, at))
  }

  judge(question: Question): LegalVerdict {
    const span = this.spanAt(question.station, question.parameter, question.at)
    const nothing = { limit: null, basis: null, span }
    if (span.gap !== null) return { ...nothing, verdict: 'no-limit', reason: span.gap }
    const limits = span.limits.filter(limit => fits(limit, question.window))
    if (limits.length === 0) return { ...nothing, verdict: 'not-evaluated', reason: 'other-window' }
    const { verdict, limit } = judged(question, limits)
    if (!limit) return { ...nothing, basis: limits[0]?.basis ?? null, verdict: 'not-evaluated', reason: 'no-value' }
    return { verdict, reason: null, limit, basis: limit.basis, span }
  }

  #cut(station: string, parameter: string): LegalSpan[] {
    const permits = this.permitsOf(station).filter(permit => speaksOf(permit, parameter))
    const spans: LegalSpan[] = []
    const bounds = [null, ...this.#boundaries(permits, parameter), null]
    for (let i = 0; i + 1 < bounds.length; i++) {
      const [from, to] = [bounds[i] ?? null, bounds[i + 1] ?? null]
      const span = this.#resolve(permits, parameter, { from, to })
      const last = spans.at(-1)
      if (last && isSameSpan(last, span)) spans[spans.length - 1] = joined(last, to)
      else spans.push(span)
    }
    return spans
  }

  /** Every instant at which something that concerns the series begins or ends, ascending. */
  #boundaries(permits: readonly PermitTerms[], parameter: string): Millis[] {
    const found = new Set<Millis>()
    const add = (...instants: readonly (Millis | null | undefined)[]) => {
      for (const instant of instants) if (instant !== null && instant !== undefined) found.add(instant)
    }
    for (const permit of permits) {
      const regulation = this.regulations.get(permit.regulation)
      add(permit.from, permit.to, regulation?.from, regulation?.to, regulation?.transition?.until)
      for (const limit of regulation?.limits ?? []) if (limit.parameter === parameter) add(limit.from, limit.to)
    }
    return [...found].sort((a, b) => a - b)
  }

  #resolve(permits: readonly PermitTerms[], parameter: string, { from, to }: Pick<LegalSpan, 'from' | 'to'>): LegalSpan {
    // Nothing changes inside the span, so one instant of it stands for all.
    const at = from ?? (to === null ? 0 : to - 1)
    const permit = newest(permits.filter(one => covers(one, at)))
    if (!permit) return { from, to, permit: null, limits: [], gap: 'no-permit' }
    const regulation = this.regulations.get(permit.regulation)
    const isMeasured = this.#stations.get(permit.station)?.parameters.includes(parameter) ?? false
    const found = regulation && isMeasured ? legalLimits({ regulation, permit, parameter, at, from, to }) : 'not-regulated'
    return typeof found === 'string' ? { from, to, permit, limits: [], gap: found } : { from, to, permit, limits: found, gap: null }
  }
}

const speaksOf = (permit: PermitTerms, parameter: string): boolean => permit.parameters?.includes(parameter) ?? true

const fits = (limit: LegalLimit, window: JudgedWindow): boolean => limit.window === 'any' || limit.window === window

/** The permit that begins last; of two on one day, which `readLaw` refuses, the one with the greater id. */
const newest = (permits: readonly PermitTerms[]): PermitTerms | undefined =>
  [...permits].sort((a, b) => (a.from ?? 0) - (b.from ?? 0) || (a.id < b.id ? -1 : 1)).at(-1)

const judged = ({ value, unit, at }: Question, limits: readonly LegalLimit[]): Judgement<LegalLimit> =>
  value === null ? { verdict: 'not-evaluated', limit: null } : judge({ value, unit, at, status: MEASURING, flag: 1, flags: [] }, limits)

const isSameSpan = (a: LegalSpan, b: LegalSpan): boolean =>
  a.gap === b.gap && a.permit === b.permit && JSON.stringify(a.limits.map(timeless)) === JSON.stringify(b.limits.map(timeless))

const timeless = (limit: LegalLimit): object => ({ ...limit, validFrom: null, validTo: null })

const joined = (span: LegalSpan, to: Millis | null): LegalSpan => ({
  ...span,
  to,
  limits: span.limits.map(limit => ({ ...limit, validTo: to }))
})
