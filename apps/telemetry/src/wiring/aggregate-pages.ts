import type { PublishedAggregate, State } from '#libs/adapters/state'
import type { InfluxAggregates, WrittenAggregate } from '#libs/adapters/store-influx'
import type { TermsOf } from '#libs/pipeline'

interface Sources {
  readonly aggregates: Pick<State['aggregates'], 'publishedAfter' | 'place' | 'passed'>
  readonly target: Pick<InfluxAggregates, 'write'>
  readonly termsOf: TermsOf
}

const READER = 'influx-aggregates'
const PAGE = 1_000
const PAGES = 10

/**
 * Passes what was published on to InfluxDB, in the order of publication. The place moves after the write: a crash in between writes
 * the same points once more. An aggregate that was published again meanwhile is passed on once, as it stands then.
 */
export class AggregatePages {
  readonly #sources: Sources
  #place: number | null = null

  constructor(sources: Sources) {
    this.#sources = sources
  }

  /** A few pages; true while there is more. */
  async pass(): Promise<boolean> {
    const { aggregates, target } = this.#sources
    let place = this.#place ?? (await aggregates.place(READER))
    for (let n = 0; n < PAGES; n++) {
      const page = await aggregates.publishedAfter(place, PAGE)
      const last = page.at(-1)
      if (!last) return false
      await target.write(page.map(one => this.#written(one)))
      await aggregates.passed(READER, last.position)
      place = last.position
      this.#place = place
    }
    return true
  }

  /** A mean goes with the last reading that counts, a load with its flow; other sums come and go with the mean. */
  #written({ aggregate }: PublishedAggregate): WrittenAggregate {
    const { revision, mean, sum } = aggregate
    const isLoad = (this.#sources.termsOf(aggregate)?.flow ?? null) !== null
    const lacks = mean === null || (sum === null && isLoad)
    return { aggregate, mayHaveLost: revision > 1 && lacks }
  }
}
