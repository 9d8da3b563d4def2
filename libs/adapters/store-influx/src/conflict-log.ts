import type { SeriesKey } from '#libs/model'
import { seriesId } from '#libs/model'
import type { Conflict } from '#libs/pipeline'
import { bucketName } from './catalogue.js'
import type { Entry } from './conflict-book.js'
import { ConflictBook } from './conflict-book.js'
import type { Columns } from './csv.js'
import { numberText, quoted } from './line-text.js'
import type { InfluxLink } from './link.js'
import type { Contradiction } from './plan.js'
import { seriesPrefix } from './points.js'
import type { Source } from './queries.js'
import * as queries from './queries.js'
import { ask, bySeries, seriesOf, timeOf } from './reader.js'
import { nanoseconds, slotAt } from './slots.js'
import type { Span } from './spans.js'
import { spansOf } from './spans.js'

const MEASUREMENT = 'conflict'
const SPANS_AT_A_TIME = 50
const MOST = 2 ** 31

/** Conflicts as they stand in the context bucket: one point each. */
export class ConflictLog {
  readonly #link: InfluxLink
  readonly #source: Source

  constructor(link: InfluxLink, bucket: string) {
    this.#link = link
    this.#source = { bucket: bucketName(bucket, 'context'), measurement: MEASUREMENT }
  }

  /** The book of everything that is known at the instants of these contradictions. */
  async open(contradictions: readonly Contradiction[]): Promise<ConflictBook> {
    return new ConflictBook(await this.#entries(spansOf(contradictions.map(({ other }) => other))))
  }

  async save(book: ConflictBook): Promise<void> {
    const lines = book.changes().map(lineOf)
    if (lines.length > 0) await this.#link.write(this.#source.bucket, lines.join('\n'), 'ns')
  }

  /** In ascending sequence after `after`; see the port. */
  async list(after: number, limit: number): Promise<Conflict[]> {
    if (!(limit >= 1)) return []
    const asked = Math.min(Math.floor(limit) + 1, MOST)
    const places = await this.#places(after, asked)
    const [first] = places
    const last = places.at(-1)
    if (!first || !last) return []
    const whole = places.length < asked ? places : places.filter(place => place.sequence < last.sequence)
    // One record alone has more than a page holds: all of it.
    const page = whole.length > 0 ? whole : (await this.#places(after, MOST)).filter(place => place.sequence === first.sequence)
    const entries = await this.#entries(spansOf(page))
    const wanted = new Set(page.map(placeId))
    return entries
      .filter(entry => wanted.has(placeId(entry)))
      .sort(inOrder)
      .map(asConflict)
  }

  async count(): Promise<number> {
    return (await this.#places(0, MOST)).length
  }

  async #places(after: number, limit: number): Promise<Place[]> {
    const places: Place[] = []
    await ask(this.#link, queries.conflictsAfter(this.#source, after, limit), (cells, columns) => {
      places.push({ ...placeOf(cells, columns), sequence: Number(cells[columns['_value'] ?? 0]) })
    })
    return places
  }

  async #entries(spans: readonly Span[]): Promise<Entry[]> {
    const drafts = new Map<string, { place: Omit<Place, 'sequence'>; fields: Record<string, string> }>()
    for (let n = 0; n < spans.length; n += SPANS_AT_A_TIME) {
      await ask(this.#link, queries.fieldsOf(this.#source, spans.slice(n, n + SPANS_AT_A_TIME)), (cells, columns) => {
        const place = placeOf(cells, columns)
        const draft = drafts.get(placeId(place)) ?? { place, fields: {} }
        drafts.set(placeId(place), draft)
        draft.fields[cells[columns['_field'] ?? 0] ?? ''] = cells[columns['_value'] ?? 0] ?? ''
      })
    }
    return [...drafts.values()].map(({ place, fields }) => entryOf(place, fields))
  }
}

interface Place extends SeriesKey {
  readonly at: number
  readonly slot: number
  readonly sequence: number
}

const placeOf = (cells: readonly string[], columns: Columns): Omit<Place, 'sequence'> => ({
  ...seriesOf(cells, columns),
  at: timeOf(cells, columns),
  slot: slotAt(cells[columns['_time'] ?? 0] ?? '')
})

const placeId = (place: Omit<Place, 'sequence'>): string => `${seriesId(place)}@${place.at}.${place.slot}`

function entryOf({ station, parameter, at, slot }: Omit<Place, 'sequence'>, fields: Readonly<Record<string, string>>): Entry {
  const number = (name: string): number => Number(fields[name] ?? Number.NaN)
  return {
    station,
    parameter,
    at,
    revision: number('revision'),
    kept: number('kept'),
    other: number('other'),
    sequence: number('sequence'),
    receivedAt: number('received_at'),
    status: fields['status'] ?? '',
    unit: fields['unit'] ?? '',
    slot
  }
}

function lineOf(entry: Entry): string {
  const { at, revision, kept, other, sequence, receivedAt, status, unit, slot } = entry
  const numbers = `at=${at}i,revision=${revision}i,kept=${numberText(kept)},other=${numberText(other)}`
  const rest = `sequence=${sequence}i,received_at=${receivedAt}i,status=${quoted(status)},unit=${quoted(unit)}`
  return `${seriesPrefix(MEASUREMENT, entry)}${numbers},${rest} ${nanoseconds(at, slot)}`
}

const inOrder = (a: Entry, b: Entry): number =>
  a.sequence - b.sequence || bySeries(a, b) || a.at - b.at || a.revision - b.revision || a.other - b.other

function asConflict({ station, parameter, at, revision, kept, other, sequence, receivedAt }: Entry): Conflict {
  return { station, parameter, at, revision, kept, other, sequence, receivedAt }
}
