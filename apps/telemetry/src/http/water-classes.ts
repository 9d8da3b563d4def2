import type { z } from 'zod'
import type { Aggregate } from '#libs/aggregates'
import type { Millis, Station } from '#libs/model'
import { convert, findParameter, formatInstant } from '#libs/model'
import type { AggregateLog, Standards } from '#libs/pipeline'
import type { RegulationTable } from '#libs/regulation'
import { waterClass } from '#libs/regulation'
import type { WaterClassView } from './water-classes-schemas.js'

type WaterClassJson = z.infer<typeof WaterClassView>

interface Sources {
  readonly aggregates: Pick<AggregateLog, 'find'>
  readonly standards: Pick<Standards, 'law'>
}

interface Span {
  readonly from: Millis
  readonly to: Millis
}

/** Days, at most. */
const MOST_DAYS = 400

/** Classes of a river's water by day, from the daily means that are published, whenever they are asked for. */
export class WaterClasses {
  readonly #sources: Sources

  constructor(sources: Sources) {
    this.#sources = sources
  }

  /** Days with `from < end <= to` on which something was measured, ascending. None where no regulation in force classifies. */
  async find({ code, parameters }: Station, span: Span): Promise<WaterClassJson[]> {
    const byDay = new Map<Millis, Aggregate[]>()
    for (const parameter of parameters) {
      for (const day of await this.#sources.aggregates.find({ station: code, parameter, period: 'day', ...span, limit: MOST_DAYS }))
        byDay.set(day.end, [...(byDay.get(day.end) ?? []), day])
    }
    return [...byDay.values()].flatMap(means => this.#classOf(means)).sort((a, b) => (a.end < b.end ? -1 : 1))
  }

  #classOf(means: readonly Aggregate[]): WaterClassJson[] {
    const [first] = means
    // The window's end belongs to it, and the day after begins there: what holds is asked of an instant inside.
    const table = first && this.#tableAt(first.end - 1)
    const found = table && waterClass(table, valuesOf(means))
    if (!found) return []
    const { class: name, parameters, deciding, missing, ...rest } = found
    const used = means.filter(({ parameter }) => parameters.some(one => one.parameter === parameter))
    return [
      {
        start: formatInstant(first.start),
        end: formatInstant(first.end),
        ...rest,
        class: name,
        deciding: [...deciding],
        parameters: parameters.map(one => ({ ...one })),
        missing: [...missing],
        completeness: used.length === 0 ? 0 : Math.min(...used.map(({ completeness }) => completeness))
      }
    ]
  }

  #tableAt(at: Millis): RegulationTable | undefined {
    const inForce = ({ classes, from, to }: RegulationTable): boolean =>
      classes !== null && (from === null || from <= at) && (to === null || at < to)
    return [...this.#sources.standards.law.regulations.values()].find(inForce)
  }
}

/** In canonical units. */
function valuesOf(means: readonly Aggregate[]): Map<string, number> {
  return new Map(
    means.flatMap(({ parameter, mean, unit }): [string, number][] => {
      const canonical = findParameter(parameter)?.unit
      const value = mean === null || canonical === undefined ? undefined : convert(mean, unit, canonical)
      return value === undefined ? [] : [[parameter, value]]
    })
  )
}
