import type { Part, Sample, Window } from '#libs/aggregates'
import { foldHour, foldParts, isWithin, partsOf, windowAt } from '#libs/aggregates'
import type { Reading, SeriesKey } from '#libs/model'
import { judge } from '#libs/model'
import type { AggregateLog, Published, SeriesTerms, TermsOf, WindowMark } from './aggregate-ports.js'
import type { TimeSeriesStore } from './ports.js'
import { EVERY_READING } from './ports.js'
import type { LimitSource } from './standards.js'

export interface AggregatorPorts {
  /** Readings with the flags that count: what is failed there enters no figure. */
  readonly store: Pick<TimeSeriesStore, 'range'>
  readonly aggregates: Pick<AggregateLog, 'days'>
  readonly termsOf: TermsOf
  readonly limits: LimitSource
}

/**
 * Sums windows up from what the store holds: an hour and a day from readings, a month from the days that were published. What comes
 * out depends on the set of readings alone.
 */
export class Aggregator {
  readonly #ports: AggregatorPorts

  constructor(ports: AggregatorPorts) {
    this.#ports = ports
  }

  /** Null where a mark leads nowhere: the registry does not know the series any more, or it has nothing there (a load whose flow came). */
  async resultOf(mark: WindowMark): Promise<Published | null> {
    const known = this.#ports.termsOf(mark)
    if (!known) return null
    const { summary, values } = await this.sumUp(mark, mark, known)
    if (summary.received === 0) return null
    return { mark, unit: known.unit, summary, values: mark.period === 'day' ? values : null }
  }

  /** A day with its hours, from one look at the store; nothing where it holds nothing. */
  async resultsOfDay(series: SeriesKey, day: Window, known: SeriesTerms): Promise<Published[]> {
    const [samples, flow] = await Promise.all([this.#samples(series, day), this.#flow(series, day, known)])
    if (samples.length === 0) return []
    const hours = hoursOf(day, samples, flow, known)
    return [...hours, foldParts(day, hours, known.terms)].map(part => published(series, part, known))
  }

  /** What a window comes to now, published or not. */
  async sumUp(series: SeriesKey, { period, start, end }: Window, known: SeriesTerms): Promise<Part> {
    const window = { period, start, end }
    if (period === 'month') return foldParts(window, await this.daysOf(series, window, known), known.terms)
    const [samples, flow] = await Promise.all([this.#samples(series, window), this.#flow(series, window, known)])
    if (period === 'hour') return foldHour(window, samples, known.terms, meanFlow(flow, window, known))
    return foldParts(window, hoursOf(window, samples, flow, known), known.terms)
  }

  /** The published days of a month. Days that were published while another rule was set belong to no month of this one. */
  async daysOf(series: SeriesKey, { start, end }: Pick<Window, 'start' | 'end'>, { terms }: SeriesTerms): Promise<Part[]> {
    const days = await this.#ports.aggregates.days(series, { from: start, to: end })
    return days.filter(({ summary }) => windowAt('day', summary.end, terms.dayRule).end === summary.end)
  }

  async #samples({ station, parameter }: SeriesKey, window: Window): Promise<Sample[]> {
    const limits = this.#ports.limits.limitsOf(station, parameter)
    return (await this.#readings({ station, parameter }, window)).map(({ at, value, unit, status, flag, flags }) => ({
      at,
      value,
      status,
      flag,
      flags,
      exceeds: judge({ at, value, unit, status, flag, flags }, limits).verdict === 'exceeds'
    }))
  }

  async #flow({ station }: SeriesKey, window: Window, { flow }: SeriesTerms): Promise<Sample[]> {
    return flow ? this.#samples({ station, parameter: flow.parameter }, window) : []
  }

  /** Of `start < at <= end`. */
  #readings(series: SeriesKey, { start, end }: Window): Promise<Reading[]> {
    return this.#ports.store.range({ ...series, from: start + 1, to: end + 1, limit: EVERY_READING })
  }
}

/** Without a mark that asked for it. */
const published = ({ station, parameter }: SeriesKey, { summary, values }: Part, { unit }: SeriesTerms): Published => {
  const { period, start, end } = summary
  const mark = { station, parameter, period, start, end, dueAt: 0, sequence: 0 }
  return { mark, unit, summary, values: period === 'day' ? values : null }
}

function hoursOf(day: Window, samples: readonly Sample[], flow: readonly Sample[], known: SeriesTerms): Part[] {
  const byHour = groupByHour(samples)
  const flowByHour = groupByHour(flow)
  return partsOf(day).flatMap(hour => {
    const inside = byHour.get(hour.end)
    return inside ? [foldHour(hour, inside, known.terms, meanFlow(flowByHour.get(hour.end) ?? [], hour, known))] : []
  })
}

function groupByHour(samples: readonly Sample[]): Map<number, Sample[]> {
  const groups = new Map<number, Sample[]>()
  for (const sample of samples) {
    // The rule of days does not move hours.
    const { end } = windowAt('hour', sample.at, 'hours-01-24')
    const group = groups.get(end)
    if (group) group.push(sample)
    else groups.set(end, [sample])
  }
  return groups
}

/** Mean flow of an hour in m3/h. */
function meanFlow(flow: readonly Sample[], hour: Window, { flow: of, terms }: SeriesTerms): number | null {
  if (!of) return null
  const inside = flow.filter(sample => isWithin(sample.at, hour))
  const { mean } = foldHour(hour, inside, { ...terms, sum: 'none' }).summary
  return mean === null ? null : mean * of.factor
}
