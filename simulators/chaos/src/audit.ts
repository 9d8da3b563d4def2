import type { Millis } from '#libs/model'
import { NumberSet } from './number-set.js'
import { type Numbered, numberAt, PARAMETERS, raisesUpTo, valueIn } from './numbered.js'

export interface SeriesSource {
  readings(station: string, parameter: string): AsyncIterable<{ at: Millis; value: number }>
}

export interface ReadingsAudit {
  /** Messages that were found, with both their readings. */
  readonly stored: number
  /** Acknowledged messages of which a reading is missing. */
  readonly lost: number
  /** Readings that stand twice, and readings that nobody sent so. */
  readonly surplus: number
}

/** What the clients know: the numbers that were acknowledged, and how many were sent. */
export interface Account {
  acknowledgedOf(station: string): NumberSet
  sentOf(station: string): number
}

/** Compares what the server gives back with what it acknowledged, station by station. */
export async function auditReadings(source: SeriesSource, stations: readonly Numbered[], account: Account): Promise<ReadingsAudit> {
  const total = { stored: 0, lost: 0, surplus: 0 }
  for (const numbered of stations) {
    const found: NumberSet[] = []
    for (const parameter of PARAMETERS) {
      const series = await readSeries(source, numbered, parameter, account.sentOf(numbered.station))
      found.push(series.numbers)
      total.surplus += series.surplus
    }
    const complete = intersection(found, account.sentOf(numbered.station))
    total.stored += complete.size
    total.lost += account.acknowledgedOf(numbered.station).countMissingIn(complete)
  }
  return total
}

async function readSeries(source: SeriesSource, numbered: Numbered, parameter: (typeof PARAMETERS)[number], sent: number) {
  const numbers = new NumberSet()
  let surplus = 0
  for await (const { at, value } of source.readings(numbered.station, parameter)) {
    const number = numberAt(numbered, at)
    const sentSo = Number.isInteger(number) && number >= 0 && number < sent && value === valueIn(numbered, parameter, number)
    if (!sentSo || !numbers.add(number)) surplus++
  }
  return { numbers, surplus }
}

function intersection(sets: readonly NumberSet[], end: number): NumberSet {
  const both = new NumberSet()
  for (let number = 0; number < end; number++) if (sets.every(set => set.has(number))) both.add(number)
  return both
}

export interface AlarmsAudit {
  readonly transitions: number
  readonly delivered: number
  /** Transitions of the history that never arrived. */
  readonly missing: number
  /** Arrivals under a second key, or of a transition that is in no history. */
  readonly unexpected: number
  /** Alarms raised, and how many the messages ought to have raised. */
  readonly raised: number
  readonly expectedRaised: number
}

/** Compares the alarms' history with what the webhook got (one id per key) and with what the messages mean. */
export function auditAlarms(
  history: readonly { readonly id: string; readonly kind: string }[],
  arrived: readonly string[],
  stations: readonly Numbered[],
  account: Account
): AlarmsAudit {
  const ids = history.map(({ id }) => id)
  const recordedTwice = ids.length - new Set(ids).size
  return {
    transitions: history.length,
    delivered: arrived.length,
    missing: countBeyond(ids, arrived),
    unexpected: countBeyond(arrived, ids) + recordedTwice,
    raised: history.filter(({ kind }) => kind === 'raised').length,
    expectedRaised: stations.reduce((sum, numbered) => sum + raisesUpTo(numbered, account.sentOf(numbered.station)), 0)
  }
}

/** Members of `list` that `other` does not have as often. */
function countBeyond(list: readonly string[], other: readonly string[]): number {
  const left = new Map<string, number>()
  for (const name of other) left.set(name, (left.get(name) ?? 0) + 1)
  return list.filter(name => {
    const available = left.get(name) ?? 0
    left.set(name, available - 1)
    return available <= 0
  }).length
}
