import { SECOND } from '#libs/model'
import type { StoredReading } from '#libs/pipeline'
import type { SqliteStore } from '../src/store.js'

// Used in a process and a thread of their own, where Jest, and with it the test kit, cannot be loaded.

export const BEGIN = Date.UTC(2026, 10, 23, 17)
const STATIONS = 20
const PARAMETERS = ['COD', 'pH'] as const
const POINTS = 5

/** Batch `n`: five points a second apart for each of 40 series; every third batch writes those of its predecessor once more. */
export function batch(n: number): StoredReading[] {
  const own = pointsOf(n)
  return n % 3 === 0 ? [...pointsOf(n - 1), ...own] : own
}

function pointsOf(n: number): StoredReading[] {
  const readings: StoredReading[] = []
  for (let station = 0; station < STATIONS; station++) {
    for (const parameter of PARAMETERS) {
      for (let k = 0; k < POINTS; k++) {
        readings.push(numbered({ station: `S-${station}`, parameter, number: (n - 1) * POINTS + k, sequence: n }))
      }
    }
  }
  return readings
}

/** The reading whose value is its place in the series; they are 20 seconds apart. */
export function numbered(of: { station: string; parameter: string; number: number; sequence: number }): StoredReading {
  const { station, parameter, number, sequence } = of
  const at = BEGIN + number * 20 * SECOND
  const rest = { unit: '-', status: '00', flag: 1, flags: [], revision: 0, receivedAt: at + 700, road: 'mqtt' } as const
  return { station, parameter, at, value: number, sequence, ...rest }
}

/** What is wrong with a store that holds batches up to its cursor and nothing else; empty when all is well. */
export async function faultsOf(store: SqliteStore): Promise<string[]> {
  const expected = (await store.cursor()) * POINTS
  const faults: string[] = []
  for (let n = 0; n < STATIONS; n++) {
    for (const parameter of PARAMETERS) {
      const station = `S-${n}`
      const readings = await store.range({ station, parameter, from: 0, to: BEGIN * 2, limit: 1_000_000 })
      const inOrder = readings.every((reading, index) => reading.value === index)
      if (!inOrder || readings.length !== expected) faults.push(`${station}/${parameter}: ${readings.length} points, not ${expected}`)
      const newest = (await store.latest([station])).find(reading => reading.parameter === parameter)
      if (expected > 0 && newest?.value !== expected - 1) faults.push(`${station}/${parameter}: newest ${newest?.value}`)
    }
  }
  const { points } = await store.stats()
  if (points !== expected * STATIONS * PARAMETERS.length) faults.push(`${points} points counted`)
  return faults
}
