import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Heartbeat } from './heartbeat.js'

/** The clock and the journal's health are held; the beats are called for. */
describe('the heartbeat', () => {
  let now: number
  let acknowledges: boolean
  let away: boolean
  let rows: Map<number, number>
  let heart: Heartbeat

  beforeEach(() => {
    now = 1_000_000
    acknowledges = true
    away = false
    rows = new Map()
    heart = new Heartbeat({
      uptime: {
        beat: async (since, until) => {
          if (away) throw new Error('the state is away')
          rows.set(since, until)
        }
      },
      acknowledges: () => acknowledges,
      clock: () => now,
      log: { info: () => {}, warn: () => {}, error: () => {} }
    })
  })
  afterEach(() => heart.close())

  const pass = (seconds: number): void => {
    now += seconds * 1_000
    heart.beat()
  }
  const runs = async (): Promise<[number, number][]> => {
    await heart.close()
    return [...rows].map(([since, until]) => [(since - 1_000_000) / 1_000, (until - 1_000_000) / 1_000])
  }

  it('is one run while it beats', async () => {
    for (let beat = 0; beat < 10; beat++) pass(5)
    expect(await runs()).toEqual([[0, 50]])
  })

  it('begins anew after a pause, a clock that was put back, and a time without acknowledgements', async () => {
    pass(5)
    pass(60)
    pass(5)
    pass(-10)
    acknowledges = false
    pass(5)
    acknowledges = true
    pass(5)
    expect(await runs()).toEqual([
      [0, 5],
      [65, 70],
      [60, 60],
      [70, 70]
    ])
  })

  it('records later what it could not record', async () => {
    pass(5)
    away = true
    for (let beat = 0; beat < 4; beat++) pass(5)
    await heart.close()
    pass(60)
    await heart.close()
    away = false
    pass(5)
    expect(await runs()).toEqual([
      [0, 25],
      [85, 90]
    ])
  })
})
