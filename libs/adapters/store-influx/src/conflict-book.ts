import type { SeriesKey } from '#libs/model'
import { seriesId } from '#libs/model'
import type { Conflict, StoredReading } from '#libs/pipeline'
import type { Contradiction } from './plan.js'
import { slotOf } from './slots.js'

/** A conflict with what tells it from others of its identity and revision, and where it stands. */
export interface Entry extends Conflict {
  readonly status: string
  readonly unit: string
  /** Nanoseconds after `at` of its point. */
  readonly slot: number
}

type Content = Pick<StoredReading, 'value' | 'unit' | 'status'>

/** No conflict any more: its content turned out to be that of the earliest journal record. */
const GONE = 0

/**
 * The conflicts of the identities that a batch touches. Each other content of an identity and revision is listed once, whatever is
 * replayed, with the earliest journal record that said it.
 */
export class ConflictBook {
  readonly #identities = new Map<string, Map<string, Entry>>()
  readonly #changed = new Set<string>()
  /** Slots that points of a series have at an instant, whatever their revision. */
  readonly #slots = new Map<string, Set<number>>()

  /** `known`: all entries at the instants in question. */
  constructor(known: Iterable<Entry>) {
    for (const entry of known) {
      this.#of(entry, entry.revision).set(contentOf({ ...entry, value: entry.other }), entry)
      this.#slotsAt(entry).add(entry.slot)
    }
  }

  /** Takes a contradiction in. True when what it tells is news. */
  add({ kept, other, ousted }: Contradiction): boolean {
    if (!ousted) return this.#note(kept, other)
    const entries = this.#of(kept, kept.revision)
    const winner = entries.get(contentOf(kept))
    const isNews = !winner || winner.sequence === GONE
    if (winner) this.#set(entries, contentOf(kept), { ...winner, sequence: GONE })
    for (const [content, entry] of entries) this.#set(entries, content, { ...entry, kept: kept.value })
    this.#note(kept, other)
    return isNews
  }

  /** Entries that are not stored as they now are. */
  changes(): Entry[] {
    return [...this.#identities].flatMap(([identity, entries]) =>
      [...entries].filter(([content]) => this.#changed.has(`${identity} ${content}`)).map(([, entry]) => entry)
    )
  }

  #note(kept: StoredReading, other: StoredReading): boolean {
    const entries = this.#of(other, other.revision)
    const content = contentOf(other)
    const entry = entries.get(content)
    const isNews = !entry || entry.sequence === GONE
    const { station, parameter, at, revision, status, unit, sequence, receivedAt } = other
    const noted = { station, parameter, at, revision, status, unit, sequence, receivedAt, kept: kept.value, other: other.value }
    if (!entry) this.#set(entries, content, { ...noted, slot: this.#newSlot(other, `${revision} ${content}`) })
    else if (isNews || sequence < entry.sequence) this.#set(entries, content, { ...noted, slot: entry.slot })
    return isNews
  }

  #set(entries: Map<string, Entry>, content: string, entry: Entry): void {
    const before = entries.get(content)
    if (before && before.sequence === entry.sequence && before.kept === entry.kept) return
    entries.set(content, entry)
    this.#changed.add(`${identityOf(entry, entry.revision)} ${content}`)
  }

  #newSlot(key: SeriesKey & { readonly at: number }, text: string): number {
    const slots = this.#slotsAt(key)
    const slot = slotOf(text, slots)
    slots.add(slot)
    return slot
  }

  #slotsAt(key: SeriesKey & { readonly at: number }): Set<number> {
    const place = `${seriesId(key)}@${key.at}`
    let slots = this.#slots.get(place)
    if (!slots) this.#slots.set(place, (slots = new Set()))
    return slots
  }

  #of(key: SeriesKey & { readonly at: number }, revision: number): Map<string, Entry> {
    const identity = identityOf(key, revision)
    let entries = this.#identities.get(identity)
    if (!entries) this.#identities.set(identity, (entries = new Map<string, Entry>()))
    return entries
  }
}

const identityOf = (key: SeriesKey & { readonly at: number }, revision: number): string => `${seriesId(key)}@${key.at} ${revision}`
const contentOf = ({ value, unit, status }: Content): string => `${value} ${unit} ${status}`
