import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { SqliteStore } from '#libs/adapters/store-sqlite'
import { DEFAULT_TERMS } from '#libs/aggregates'
import { DAY, HOUR, MINUTE } from '#libs/model'
import { BEGIN, plainReading, type TempDir, tempDir } from '#libs/testkit'
import { StatusIntervals } from './status-intervals.js'

const COD = { station: 'AG-017', parameter: 'COD' }

describe('StatusIntervals', () => {
  let dir: TempDir
  let store: SqliteStore
  let intervals: StatusIntervals
  let sequence: number
  beforeEach(async () => {
    dir = await tempDir()
    store = await SqliteStore.open({ dataDir: dir.path })
    sequence = 0
    intervals = new StatusIntervals({
      store,
      termsOf: ({ parameter }) => (parameter === 'COD' ? { unit: 'mg/L', terms: DEFAULT_TERMS, flow: null } : undefined)
    })
  })
  afterEach(async () => {
    await store.close()
    await dir.remove()
  })

  /** Readings every five minutes in `from < at <= to`. */
  const write = async (from: number, to: number, status: string, revision = 0): Promise<void> => {
    const readings = []
    for (let at = from + 5 * MINUTE; at <= to; at += 5 * MINUTE) readings.push(plainReading({ at, status, revision, sequence: ++sequence }))
    await store.write(readings, sequence)
  }
  const find = async (from: number, to: number, limit = 10) =>
    (await intervals.find({ ...COD, from, to, limit })).map(({ status, start, end }) => [status, start - BEGIN, end - BEGIN])

  it('finds what touches a span, whole, wherever it began and ended', async () => {
    await write(BEGIN, BEGIN + HOUR, '00')
    await write(BEGIN + HOUR, BEGIN + 9 * DAY, '02')
    await write(BEGIN + 9 * DAY, BEGIN + 9 * DAY + HOUR, '00')
    await write(BEGIN + 9 * DAY + HOUR, BEGIN + 9 * DAY + 2 * HOUR, '01')
    const fault = ['02', HOUR + 5 * MINUTE, 9 * DAY + 5 * MINUTE]
    const calibration = ['01', 9 * DAY + HOUR + 5 * MINUTE, 9 * DAY + 2 * HOUR + 15 * MINUTE]
    expect(await find(BEGIN, BEGIN + 30 * DAY)).toEqual([fault, calibration])
    expect(await find(BEGIN + 4 * DAY, BEGIN + 5 * DAY)).toEqual([fault])
    expect(await find(BEGIN, BEGIN + 30 * DAY, 1)).toEqual([fault])
    expect(await find(BEGIN, BEGIN + HOUR)).toEqual([])
    expect(await find(BEGIN + 9 * DAY + 5 * MINUTE, BEGIN + 30 * DAY)).toEqual([calibration])
  })

  it('follows late readings and corrections', async () => {
    await write(BEGIN, BEGIN + HOUR, '01')
    await write(BEGIN + 2 * HOUR, BEGIN + 3 * HOUR, '01')
    expect(await find(BEGIN, BEGIN + DAY)).toHaveLength(2)
    await write(BEGIN + HOUR, BEGIN + 2 * HOUR, '01')
    expect(await find(BEGIN, BEGIN + DAY)).toEqual([['01', 5 * MINUTE, 3 * HOUR + 15 * MINUTE]])
    await write(BEGIN, BEGIN + 3 * HOUR, '00', 1)
    expect(await find(BEGIN, BEGIN + DAY)).toEqual([])
  })

  it('knows nothing of a series that the registry does not', async () => {
    expect(await intervals.find({ station: 'AG-017', parameter: 'pH', from: 0, to: BEGIN, limit: 1 })).toEqual([])
  })
})
