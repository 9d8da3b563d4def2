import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Station } from '#libs/model'
import { HOUR, MINUTE } from '#libs/model'
import { GAP_CAUSES } from '#libs/pipeline'
import { LedgerGaps } from '../src/http/ledger-gaps.js'
import { Intake, LedgerBench } from './ledger-bench.js'

/** 2026-11-24T10:00+07:00. */
const MORNING = Date.UTC(2026, 10, 24, 3)

/** A station that measures every five minutes, a server that runs, and one thing after the other that goes wrong. */
describe('gaps of the ledger', () => {
  let intake: Intake
  let bench: LedgerBench
  let station: Station
  let run: number

  beforeEach(async () => {
    intake = await Intake.open(MORNING)
    bench = await LedgerBench.open(intake)
    station = intake.stations.all.find(({ profile }) => profile === 'discharge-monitor') as Station
    run = MORNING
    await bench.state.uptime.beat(run, run)
  })
  afterEach(async () => {
    await bench.close()
    await intake.close()
  })

  const gaps = async (parameter = 'COD', more: { from?: number; to?: number } = {}) => {
    await bench.drain()
    const sources = { pages: bench.state.ledger, uptime: bench.state.uptime, stations: intake.stations, clock: () => intake.now }
    const { gaps: all } = await new LedgerGaps(sources).page({ station: station.code, parameter, limit: 1_000, ...more })
    return all.map(({ from, to, cause, open }) => [cause, (from - MORNING) / MINUTE, (to - MORNING) / MINUTE, open ? 'open' : 'over'])
  }
  const reading = (at: number, readings: object = { COD: 1, pH: 7 }): string => JSON.stringify({ at, readings })
  /** Lets time pass; every five minutes `each` happens, the server being there or not. */
  async function pass(minutes: number, each: (at: number) => Promise<unknown> = async () => {}, { running = true } = {}): Promise<void> {
    for (const end = intake.now + minutes * MINUTE; intake.now < end; ) {
      intake.now += 5 * MINUTE
      if (running) await bench.state.uptime.beat(run, intake.now)
      await each(intake.now)
    }
  }
  const send = (at: number) => intake.take(station, reading(at))

  it('there is none while it measures, and one interval or two without a reading are none', async () => {
    await pass(30, send)
    await pass(10)
    await pass(30, send)
    expect(await gaps()).toEqual([])
    expect(GAP_CAUSES).toContain('silent')
  })

  it.each<[string, (at: number) => Promise<unknown>]>([
    ['silent', async () => {}],
    ['clock', at => intake.take(station, reading(at + 3 * HOUR))],
    ['clock', () => intake.take(station, '{"at":"late","readings":{"COD":1}}')],
    ['refused', () => intake.take(station, '{{{')],
    ['refused', at => intake.take(station, reading(at, { COD: { value: 1, unit: 'furlong' }, pH: 7 }))],
    ['absent', at => intake.take(station, reading(at, { pH: 7 }))]
  ])('%s', async (cause, what) => {
    await pass(30, send)
    await pass(60, what)
    await pass(30, send)
    expect(await gaps()).toEqual([[cause, 30, 95, 'over']])
  })

  it('a refusal of one parameter explains no gap of another', async () => {
    await pass(30, send)
    await pass(60, at => intake.take(station, reading(at, { COD: 'x' })))
    await pass(30, send)
    expect(await gaps('COD')).toMatchObject([['refused', 30, 95, 'over']])
    expect(await gaps('pH')).toMatchObject([['absent', 30, 95, 'over']])
  })

  it('offline by its own word, until it speaks again', async () => {
    await pass(30, send)
    const status = (text: string) => intake.take(station, text, { subject: 'status' })
    await status('offline')
    await pass(60)
    expect(await gaps()).toEqual([['offline', 30, 90, 'open']])
    await status('online')
    await pass(30, send)
    expect(await gaps()).toEqual([['offline', 30, 95, 'over']])
  })

  it('our own downtime', async () => {
    await pass(30, send)
    await pass(60, undefined, { running: false })
    run = intake.now
    await bench.state.uptime.beat(run, run)
    await pass(30, send)
    expect(await gaps()).toEqual([['server', 30, 95, 'over']])
  })

  it('closes when late readings fill it, from either end and in the middle', async () => {
    await pass(30, send)
    await pass(60)
    await pass(30, send)
    await send(MORNING + 60 * MINUTE)
    expect(await gaps()).toEqual([
      ['silent', 30, 60, 'over'],
      ['silent', 60, 95, 'over']
    ])
    for (let minute = 90; minute > 30; minute -= 5) await send(MORNING + minute * MINUTE)
    expect(await gaps()).toEqual([])
  })

  it('a refusal that tells of a time long past makes no days', async () => {
    await intake.take(station, reading(86_400_000, { COD: 'x' }))
    await intake.take(station, reading(intake.now - 30 * 24 * HOUR, { COD: 'x' }))
    await bench.drain()
    expect((await bench.look()).map(({ day }) => day)).toEqual(intake.stations.all.map(() => MORNING - 10 * HOUR))
  })

  it('over midnight is one gap, cut at the day', async () => {
    intake.now = MORNING + 13 * HOUR
    for (let minute = 0; minute <= 13 * 60; minute += 5) await send(MORNING + minute * MINUTE)
    await bench.state.uptime.beat(run, intake.now)
    await pass(120)
    await pass(30, send)
    expect(await gaps()).toEqual([
      ['silent', 780, 840, 'over'],
      ['silent', 840, 905, 'over']
    ])
    // Ten minutes on either side of midnight are 20 together.
    for (let minute = 780; minute <= 830; minute += 5) await send(MORNING + minute * MINUTE)
    for (let minute = 850; minute <= 900; minute += 5) await send(MORNING + minute * MINUTE)
    expect(await gaps()).toEqual([
      ['silent', 830, 840, 'over'],
      ['silent', 840, 850, 'over']
    ])
  })
})
