import type { Millis, SeriesKey } from '#libs/model'
import type { StoredReading } from '#libs/pipeline'
import { bucketName } from './catalogue.js'
import { quoted } from './line-text.js'
import type { InfluxLink } from './link.js'
import { seriesPrefix } from './points.js'
import * as queries from './queries.js'
import { ask, seriesOf, timeOf } from './reader.js'
import { nanoseconds, slotOf } from './slots.js'

/** A reading that InfluxDB refused for good. */
export interface SetAside extends SeriesKey {
  readonly at: Millis
  readonly sequence: number
  readonly reason: string
  /** As it was to be written: nothing of it is lost. */
  readonly line: string
}

const MEASUREMENT = 'set_aside'
const LINES_AT_A_TIME = 5_000

/** Keeps refused readings in the context bucket, each once however often it is tried. */
export class SetAsideLog {
  readonly #link: InfluxLink
  readonly #bucket: string

  constructor(link: InfluxLink, bucket: string) {
    this.#link = link
    this.#bucket = bucketName(bucket, 'context')
  }

  async save(refused: readonly { readonly reading: StoredReading; readonly line: string; readonly reason: string }[]): Promise<void> {
    for (let n = 0; n < refused.length; n += LINES_AT_A_TIME) {
      const lines = refused.slice(n, n + LINES_AT_A_TIME).map(({ reading, line, reason }) => {
        const fields = `at=${reading.at}i,sequence=${reading.sequence}i,reason=${quoted(reason)},line=${quoted(line)}`
        return `${seriesPrefix(MEASUREMENT, reading)}${fields} ${nanoseconds(reading.at, slotOf(String(reading.sequence)))}`
      })
      await this.#link.write(this.#bucket, lines.join('\n'), 'ns')
    }
  }

  /** Those of the newest journal records first. */
  async list(limit: number): Promise<SetAside[]> {
    const found: SetAside[] = []
    const source = { bucket: this.#bucket, measurement: MEASUREMENT }
    await ask(this.#link, queries.newestOf(source, limit), (cells, columns) => {
      const cell = (name: string): string => cells[columns[name] ?? -1] ?? ''
      found.push({
        ...seriesOf(cells, columns),
        at: timeOf(cells, columns),
        sequence: Number(cell('sequence')),
        reason: cell('reason'),
        line: cell('line')
      })
    })
    return found
  }

  async count(): Promise<number> {
    return (await this.list(2 ** 31)).length
  }
}
