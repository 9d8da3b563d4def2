import type { z } from 'zod'
import type { Aggregate } from '#libs/aggregates'
import type { Millis, Station } from '#libs/model'
import { formatInstant } from '#libs/model'
import type { AggregateLog, Standards } from '#libs/pipeline'
import { waterClass } from '#libs/regulation'
import { canonicalMean, publishedDays } from './published-means.js'
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

/** Classes of a river's water by day, from the daily means that are published, whenever they are asked for. */
export class WaterClasses {
  readonly #sources: Sources

  constructor(sources: Sources) {
    this.#sources = sources
  }

  /** Days with `from < end <= to` on which something was measured, ascending. None where no regulation in force classifies. */
  async find(station: Station, span: Span): Promise<WaterClassJson[]> {
    const byDay = await publishedDays(this.#sources.aggregates, station, span)
    return [...byDay.values()].flatMap(means => this.#classOf(means)).sort((a, b) => (a.end < b.end ? -1 : 1))
  }

  #classOf(means: readonly Aggregate[]): WaterClassJson[] {
    const [first] = means
    // The window's end belongs to it, and the day after begins there: what holds is asked of an instant inside.
    const table = first && this.#sources.standards.law.classifierAt(first.end - 1)
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
}

/** In canonical units. */
function valuesOf(means: readonly Aggregate[]): Map<string, number> {
  return new Map(
    means.flatMap((one): [string, number][] => {
      const value = canonicalMean(one)
      return value === undefined ? [] : [[one.parameter, value]]
    })
  )
}
