import type { Millis, Reading } from '#libs/model'
import { convert } from '#libs/model'
import type { Companions, Evaluated, Plan, Plans, QualityReading } from '#libs/quality'
import { companionsOf, evaluate, reach } from '#libs/quality'
import type { RangeQuery, TimeSeriesStore } from './ports.js'
import { EVERY_READING } from './ports.js'

/** A reading whose `flag` is its own and those of the tests that look at its neighbours, by QARTOD precedence. */
export interface FlaggedReading extends Reading {
  /** What each test said. Absent where nothing is tested: no test is set for the series, or the reading was not measured. */
  readonly tests?: Evaluated['tests']
}

/**
 * The store's readings with the flags of the quality tests. They are computed when they are asked for and kept nowhere: a reading that
 * comes late, or a corrected one, gives its neighbours other flags by being there. Flags follow from the set of readings and the thresholds.
 */
export class FlaggedReadings implements Pick<TimeSeriesStore, 'range'> {
  readonly #store: Pick<TimeSeriesStore, 'range'>
  readonly #planOf: Plans

  constructor(store: Pick<TimeSeriesStore, 'range'>, planOf: Plans) {
    this.#store = store
    this.#planOf = planOf
  }

  /**
   * Like the store's. With `asOf`, the flags are those that followed from what had been received by then; a reading that came later keeps
   * its own. The readings around a page that its flags rest on are not counted in `limit`.
   */
  async range(query: RangeQuery, asOf: Millis | null = null): Promise<FlaggedReading[]> {
    const plan = this.#planOf(query.station, query.parameter)
    if (!plan) return this.#store.range(query)
    const page = await this.#store.range(query)
    const [first, last] = [page.at(0), page.at(-1)]
    if (!first || !last) return page
    const { before, after } = reach(plan)
    const span = { from: first.at - before, to: last.at + after + 1 }
    const isKnown = (reading: Reading): boolean => asOf === null || reading.receivedAt <= asOf
    const [earlier, later, companions] = await Promise.all([
      this.#all(query, { from: span.from, to: first.at }),
      this.#all(query, { from: last.at + 1, to: span.to }),
      this.#companions(query, plan, { ...span, isKnown })
    ])
    const tested = [...earlier, ...page, ...later].filter(isKnown).flatMap(reading => inUnit(reading, plan.unit))
    const evaluated = evaluate(plan, tested, companions)
    // Both ascend in time, and the page is part of what was tested, as far as that could be.
    let n = 0
    return page.map(reading => {
      while ((tested[n]?.at ?? reading.at) < reading.at) n++
      return flagged(reading, tested[n]?.at === reading.at ? evaluated[n] : undefined)
    })
  }

  async #companions(
    { station }: RangeQuery,
    plan: Plan,
    { isKnown, ...span }: Span & { isKnown: (reading: Reading) => boolean }
  ): Promise<Companions> {
    const found = companionsOf(plan).map(async parameter => {
      const unit = this.#planOf(station, parameter)?.unit
      const readings = await this.#all({ station, parameter }, span)
      return [parameter, readings.filter(isKnown).flatMap(reading => inUnit(reading, unit))] as const
    })
    return new Map(await Promise.all(found))
  }

  async #all({ station, parameter }: Pick<RangeQuery, 'station' | 'parameter'>, { from, to }: Span): Promise<Reading[]> {
    return from < to ? this.#store.range({ station, parameter, from, to, limit: EVERY_READING }) : []
  }
}

/** `from <= at < to`. */
interface Span {
  readonly from: Millis
  readonly to: Millis
}

/** A reading of a unit that cannot be told in the thresholds' is not tested. */
function inUnit(reading: Reading, unit: string | undefined): QualityReading[] {
  if (unit === undefined || reading.unit === unit) return [reading]
  const value = convert(reading.value, reading.unit, unit)
  return value === undefined ? [] : [{ ...reading, value }]
}

function flagged(reading: Reading, found: Evaluated | undefined): FlaggedReading {
  if (!found || Object.keys(found.tests).length === 0) return reading
  return { ...reading, flag: found.flag, tests: found.tests }
}
