import type { StoredReading } from '#libs/pipeline'
import { Refusal } from './errors.js'
import type { InfluxLink } from './link.js'
import type { Change } from './plan.js'
import { pointLine } from './points.js'
import type { InfluxReader } from './reader.js'
import { spansOf } from './spans.js'

/** A reading that InfluxDB will not take, and why. */
export interface Refused {
  readonly change: Change
  readonly line: string
  readonly reason: string
}

/** Of one request. InfluxDB parses a body whole, and a time-out loses a whole one. */
const MOST_LINES = 10_000
const MOST_CHARACTERS = 2 ** 21

interface Line {
  readonly change: Change
  readonly text: string
}

/** Writes the points of changes. Answers those that InfluxDB refuses for good; all others are stored when it resolves. */
export class Poster {
  readonly #link: InfluxLink
  readonly #bucket: string
  readonly #reader: InfluxReader

  constructor(link: InfluxLink, bucket: string, reader: InfluxReader) {
    this.#link = link
    this.#bucket = bucket
    this.#reader = reader
  }

  async post(changes: readonly Change[]): Promise<Refused[]> {
    const refused: Refused[] = []
    for (const request of requestsOf(changes)) refused.push(...(await this.#send(request)))
    return refused
  }

  async #send(lines: readonly Line[]): Promise<Refused[]> {
    try {
      await this.#link.write(this.#bucket, lines.map(line => line.text).join('\n'))
      return []
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      const [first] = lines
      if (first && lines.length === 1) return [{ change: first.change, line: first.text, reason: error.message }]
      return error.partial ? this.#missing(lines, error.message) : this.#halves(lines)
    }
  }

  /** InfluxDB took some of the lines and tells how many not, hardly which: those that are not there. */
  async #missing(lines: readonly Line[], reason: string): Promise<Refused[]> {
    const found = await this.#reader.find(spansOf(lines.map(line => line.change.reading)))
    return lines
      .filter(({ change: { series, reading } }) => !isThere(found.at(series, reading.at), reading))
      .map(({ change, text }) => ({ change, line: text, reason }))
  }

  /** InfluxDB took none, because it cannot read one of them: it is in one half or the other. */
  async #halves(lines: readonly Line[]): Promise<Refused[]> {
    const middle = lines.length >> 1
    return [...(await this.#send(lines.slice(0, middle))), ...(await this.#send(lines.slice(middle)))]
  }
}

const isThere = (stored: StoredReading | undefined, reading: StoredReading): boolean =>
  stored?.sequence === reading.sequence && stored.revision === reading.revision && Object.is(stored.value, reading.value)

function* requestsOf(changes: readonly Change[]): Generator<Line[]> {
  let lines: Line[] = []
  let characters = 0
  for (const change of changes) {
    const text = pointLine(change.series.prefix, change.reading, change.overwrites)
    if (lines.length >= MOST_LINES || (characters + text.length > MOST_CHARACTERS && lines.length > 0)) {
      yield lines
      lines = []
      characters = 0
    }
    lines.push({ change, text })
    characters += text.length
  }
  if (lines.length > 0) yield lines
}
