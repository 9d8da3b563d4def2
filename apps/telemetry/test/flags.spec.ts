import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { DAY, formatInstant, HOUR, MINUTE, VIETNAM_OFFSET } from '#libs/model'
import { eventually, TestServer } from './server.js'

const STATION = 'AG-KCN-BINHHOA-01'
/** Midnight of UTC+7, four days ago: hours, and days, that are closed. */
const MIDNIGHT = Math.floor((Date.now() + VIETNAM_OFFSET) / DAY) * DAY - VIETNAM_OFFSET - 4 * DAY
const at = (n: number): number => MIDNIGHT + (n + 1) * 5 * MINUTE

type Row = Record<string, unknown>
interface Sent {
  readonly at: number
  readonly readings: Row
}

const PARAMETERS = ['COD', 'Flow', 'pH'] as const
const [SPIKE, LESSER, FLAT, FLAT_END, STILL, STILL_END] = [107, 104, 112, 200, 220, 260]
/** Readings after the spike: a quarter of an hour, in which a neighbour may come. */
const HELD_BACK = 3

/** A day of one reading every five minutes: two spikes, seven hours of the same value, and COD that changes while the water stands. */
const day: readonly Sent[] = Array.from({ length: 288 }, (_, n) => {
  const isFlat = n >= FLAT && n < FLAT_END
  const isStill = n >= STILL && n < STILL_END
  const cod = n === SPIKE ? 700 : n === LESSER ? 320 : isFlat ? 66 : isStill ? 40 + ((n * 37) % 70) : 60 + ((n * 7) % 11)
  return { at: at(n), readings: { COD: cod, Flow: isStill ? 0 : 40 + (n % 5), pH: 7 + (n % 7) / 100 } }
})

describe('quality on a started server', () => {
  const servers: TestServer[] = []
  afterAll(() => Promise.all(servers.map(server => server.dispose())))

  const open = async () => {
    const server = await TestServer.start()
    servers.push(server)
    const feed = await server.ops('token', 'add', 'feed', '--role', 'ingest')
    const reader = await server.ops('token', 'add', 'eye', '--role', 'reader')
    const post = async (readings: readonly Sent[]): Promise<void> => {
      const answer = await server.request('POST', `/api/v1/readings/${STATION}`, { token: feed, body: JSON.stringify(readings) })
      expect(answer.status).toBe(202)
    }
    const get = async (path: string): Promise<Row[]> => (await server.get(`/api/v1/${path}`, reader)).json().items
    const span = `from=${MIDNIGHT}&to=${MIDNIGHT + DAY}`
    const readings = (parameter: string) =>
      get(`series/${STATION}/${parameter}/readings?from=${MIDNIGHT}&to=${MIDNIGHT + DAY + 1}&limit=1000`)
    const windows = (parameter: string, period: string) => get(`series/${STATION}/${parameter}/aggregates?period=${period}&${span}`)
    const verdicts = (parameter: string) => get(`verdicts/${STATION}/${parameter}?at=${at(SPIKE)}`)
    const one = async (path: string) => (await server.get(`/api/v1/${path}`, reader)).json()
    return { post, readings, windows, verdicts, one }
  }
  type World = Awaited<ReturnType<typeof open>>

  /** What must not depend on how the day came: everything but when and by which way it did. */
  const told = async ({ readings, windows, verdicts }: World): Promise<string> => {
    const all: unknown[] = []
    for (const parameter of PARAMETERS) {
      const flags = (await readings(parameter)).map(({ receivedAt: _, road: __, ...reading }) => reading)
      const hours = (await windows(parameter, 'hour')).map(({ revision: _, ...hour }) => hour)
      const days = (await windows(parameter, 'day')).map(({ revision: _, ...one }) => one)
      all.push({ parameter, flags, hours, days, verdicts: await verdicts(parameter) })
    }
    return JSON.stringify(all, null, 1)
  }
  /** Windows are published with all readings of the day but so many. */
  const settled = (world: World, without = 0) =>
    eventually(async () => {
      for (const parameter of PARAMETERS)
        for (const [period, count] of [
          ['hour', 24],
          ['day', 1]
        ] as const) {
          const found = await world.windows(parameter, period)
          const received = found.reduce((sum, row) => sum + Number(row['received']), 0)
          if (found.length !== count || received !== day.length - without || found.some(row => row['provisional'] === true)) return false
        }
      return true
    }, 'the day’s windows')

  let inOrder: World
  beforeAll(async () => {
    inOrder = await open()
    for (let n = 0; n < day.length; n += 96) await inOrder.post(day.slice(n, n + 96))
    await settled(inOrder)
    // Marks of the last readings that were made while their windows were summed up already.
    await sleep(3_000)
    await settled(inOrder)
  }, 120_000)

  it('flags what the tests find, and keeps it out of figures and verdicts', async () => {
    const cod = await inOrder.readings('COD')
    expect(cod).toHaveLength(288)
    expect(cod[SPIKE]).toMatchObject({
      value: 700,
      status: '00',
      flag: 4,
      flags: ['status-assumed'],
      tests: { spike: 4, 'gross-range': 1 }
    })
    expect(cod[LESSER]).toMatchObject({ flag: 3, tests: { spike: 3 } })
    expect([cod[FLAT + 71], cod[FLAT + 72]].map(row => row?.['flag'])).toEqual([1, 3])
    expect(cod[STILL_END - 1]).toMatchObject({ flag: 3, tests: { 'still-flow': 3 } })
    expect((await inOrder.readings('Flow'))[STILL_END - 1]).toMatchObject({ flag: 3, tests: { 'still-flow': 3 } })

    const hours = await inOrder.windows('COD', 'hour')
    const hour = hours.find(({ end }) => end === formatInstant(MIDNIGHT + 9 * HOUR))
    // The spike is an exceedance by its value; a value that failed exceeds nothing. The lesser one is suspect and counts.
    expect(hour).toMatchObject({ received: 12, count: 11, worstFlag: 4, max: 320, exceedanceMinutes: 5 })
    const [reading, byHour] = await inOrder.verdicts('COD')
    expect(reading).toMatchObject({ window: 'reading', value: null, verdict: 'not-evaluated' })
    expect(byHour).toMatchObject({ window: 'hour', rows: { count: 11 } })
  })

  it('scores the day by the same flags, and shows what is behind each lost point', async () => {
    const date = formatInstant(MIDNIGHT).slice(0, 10)
    const found = await inOrder.one(`quality/${STATION}/COD?day=${date}&criterion=correct`)
    // The last reading of 288 is of the day that begins.
    expect(found).toMatchObject({ criteria: { correct: { total: 287 } }, lost: { fail: 1 } })
    const spike = (found.items as { reading: Row | null }[]).find(({ reading }) => reading?.['value'] === 700)
    expect(spike?.reading).toMatchObject({ flag: 4, tests: { spike: 4 } })
    const suspects = (await inOrder.readings('COD')).filter(({ flag }) => flag === 3).length
    expect(found['lost']).toMatchObject({ suspect: suspects })
    expect(suspects).toBeGreaterThan(10)
  })

  it('answers for the year of the industrial zone, which one day does not make', async () => {
    const year = formatInstant(MIDNIGHT).slice(0, 4)
    const { zones, ...rest } = await inOrder.one(`indicators/industrial-zones?year=${year}`)
    expect(rest).toMatchObject({ year: Number(year), met: 0, notMet: 0, notAssessable: 6, share: null, completeness: 0, atLeast: 0 })
    const mine = (zones as { zone: string; stations: Row[] }[]).find(({ zone }) => zone === 'KCN Bình Hòa')
    expect(mine).toMatchObject({ state: 'not-assessable', gap: 'incomplete', stations: [{ station: STATION, daysEvaluated: 1 }] })
  })

  it('says the same of a day that came shuffled, doubled and cut otherwise, byte for byte', async () => {
    const world = await open()
    // Every reading twice, parameters apart, in an order that has nothing to do with time; those that show the spike come last.
    const pieces = [...day.slice(0, SPIKE + 1), ...day.slice(SPIKE + 1 + HELD_BACK)].flatMap(({ at: when, readings }) =>
      PARAMETERS.map(parameter => ({ at: when, readings: { [parameter]: readings[parameter] } }))
    )
    const shuffled = [...pieces, ...pieces]
      .map((piece, n) => ({ piece, key: (n * 7_919) % 1_733 }))
      .sort((a, b) => a.key - b.key)
      .map(({ piece }) => piece)
    for (let n = 0; n < shuffled.length; n += 53) await world.post(shuffled.slice(n, n + 53))
    await settled(world, HELD_BACK)
    await sleep(3_000)
    const spiked = async () => (await world.windows('COD', 'hour')).find(({ end }) => end === formatInstant(at(SPIKE)))
    const before = await spiked()
    expect(before).toMatchObject({ count: 12, max: 700, exceedanceMinutes: 10 })
    // The first readings of the next hour: by them the last of this one, which is published, turns out to be a spike.
    await world.post(day.slice(SPIKE + 1, SPIKE + 1 + HELD_BACK))
    await settled(world)
    const expected = await told(inOrder)
    await eventually(async () => (await told(world)) === expected, 'the same flags, aggregates and verdicts', 20_000).catch(() => undefined)
    expect(await told(world)).toBe(expected)
    expect(await spiked()).toMatchObject({ count: 11, max: 320, revision: Number(before?.['revision']) + 1 })
  }, 120_000)
})
