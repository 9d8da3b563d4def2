import { afterEach, describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import type { Station } from '#libs/model'
import { DAY, HOUR, MINUTE } from '#libs/model'
import type { LedgerLine } from '#libs/pipeline'
import { Intake, LedgerBench } from './ledger-bench.js'

/** 2026-11-24T22:00+07:00: two hours before a day ends. */
const EVENING = Date.UTC(2026, 10, 24, 15)

/** What can be wrong with what a station sends; each must become exactly its own line. */
const FAULTS = [
  'good',
  'late',
  'clockAhead',
  'repeated reading',
  'repeated message',
  'lower revision',
  'conflict',
  'known conflict',
  'correction',
  'bad JSON',
  'bad time',
  'unknown unit',
  'unknown parameter',
  'not a number'
] as const
type Fault = (typeof FAULTS)[number]
type Counts = Record<string, number>

/** A station that knows what it has sent, and keeps the books that the ledger should come to. */
class Sender {
  readonly expected: Counts = {}
  readonly #intake: Intake
  readonly #station: Station
  #next: number
  #earlier: number
  #revision = 0

  constructor(intake: Intake, station: Station) {
    this.#intake = intake
    this.#station = station
    this.#next = intake.now - 6 * HOUR
    this.#earlier = intake.now - 30 * DAY
  }

  async send(fault: Fault): Promise<void> {
    await this.#prepare(fault)
    const bad = {
      'bad JSON': 'not-json',
      'bad time': 'bad-instant',
      'unknown unit': 'unknown-unit',
      'unknown parameter': 'unknown-parameter'
    }
    switch (fault) {
      case 'good':
        return this.#reading(this.#later(), 1, 'stored')
      case 'late':
        return this.#reading((this.#earlier += MINUTE), 1, 'stored', { also: 'late' })
      case 'clockAhead':
        return this.#reading(this.#intake.now + HOUR + ++this.#revision, 1, 'stored', { also: 'clockAhead' })
      case 'repeated reading':
        return this.#reading(this.#next, 1, 'duplicate')
      case 'repeated message':
        return this.#message(this.#plain(this.#next, 1), ['duplicate'], { mayRepeat: true })
      case 'lower revision':
        await this.#reading(this.#later(), 1, 'stored', { revision: 5 })
        return this.#reading(this.#next, 2, 'duplicate', { revision: 4 })
      case 'conflict':
        return this.#reading(this.#next, 2, 'conflicting')
      case 'known conflict':
        await this.#reading(this.#next, 2, 'conflicting')
        return this.#reading(this.#next, 2, 'duplicate')
      case 'correction':
        return this.#reading(this.#next, 3, 'replaced', { revision: 1 })
      case 'bad JSON':
        return this.#message('{"at":', ['refused', bad[fault]])
      case 'bad time':
        return this.#message(`{"at":"yesterday","readings":{"COD":1}}`, ['refused', bad[fault]])
      case 'unknown unit':
        return this.#message(this.#plain(this.#later(), { value: 1, unit: 'furlong' }), ['refused', bad[fault]])
      case 'unknown parameter':
        return this.#message(`{"at":${this.#later()},"readings":{"Gold":1}}`, ['refused', bad[fault]])
      case 'not a number':
        return this.#message(this.#plain(this.#later(), 'much'), ['refused', 'not-a-number'])
    }
  }

  /** Some faults need a reading to be at fault with, alone. */
  async #prepare(fault: Fault): Promise<void> {
    const needs: readonly Fault[] = ['late', 'repeated reading', 'repeated message', 'conflict', 'known conflict', 'correction']
    if (needs.includes(fault)) await this.#reading(this.#later(), 1, 'stored')
  }

  #later(): number {
    this.#next += MINUTE
    return this.#next
  }

  #plain(at: number, value: unknown, revision = 0): string {
    return JSON.stringify({ at, readings: { COD: value }, revision })
  }

  #reading(at: number, value: number, column: string, { also = '', revision = 0 } = {}): Promise<void> {
    return this.#message(this.#plain(at, value, revision), [column, also])
  }

  async #message(payload: string, columns: readonly string[], more: { mayRepeat?: boolean } = {}): Promise<void> {
    for (const column of ['received', ...columns]) if (column !== '') this.expected[column] = (this.expected[column] ?? 0) + 1
    await this.#intake.take(this.#station, payload, more)
  }
}

const COLUMNS = ['received', 'stored', 'replaced', 'duplicate', 'conflicting', 'setAside', 'refused', 'open', 'late', 'clockAhead'] as const

/** The sums of a station over all days, without what is nothing. */
function sums(lines: readonly LedgerLine[], station: string): Counts {
  const counts: Counts = {}
  const add = (name: string, count: number): void => void (counts[name] = (counts[name] ?? 0) + count)
  for (const line of lines.filter(each => each.station === station)) {
    for (const column of COLUMNS) if (line[column] !== 0) add(column, line[column])
    for (const [reason, count] of Object.entries(line.refusedBy)) add(reason, count)
  }
  return counts
}

function expectBalance(lines: readonly LedgerLine[]): void {
  for (const l of lines) {
    expect(l.stored + l.replaced + l.duplicate + l.conflicting + l.setAside + l.refused + l.open).toBe(l.received)
    expect(Math.min(...COLUMNS.map(column => l[column]))).toBeGreaterThanOrEqual(0)
    expect(l.byRoad.mqtt + l.byRoad.http + l.byRoad.file).toBe(l.received)
  }
}

describe('the ledger balances', () => {
  const closing: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close()
  })

  async function begin() {
    const intake = await Intake.open(EVENING)
    const bench = await LedgerBench.open(intake)
    closing.push(
      () => intake.close(),
      () => bench.close()
    )
    const stations = intake.stations.all.filter(({ profile }) => profile === 'discharge-monitor').slice(0, 2)
    return { intake, bench, senders: stations.map(station => ({ station: station.code, sender: new Sender(intake, station) })) }
  }

  it.each(FAULTS)('%s is exactly its own line', async fault => {
    const { bench, senders } = await begin()
    const [first, second] = senders
    await first!.sender.send(fault)
    await second!.sender.send('good')
    await bench.drain()
    const lines = await bench.look()
    expectBalance(lines)
    expect(sums(lines, first!.station)).toEqual(first!.sender.expected)
    expect(sums(lines, second!.station)).toEqual({ received: 1, stored: 1 })
  })

  const step = fc.oneof(
    { weight: 8, arbitrary: fc.tuple(fc.constant('send' as const), fc.constantFrom(...FAULTS), fc.nat(1)) },
    { weight: 4, arbitrary: fc.tuple(fc.constant('store' as const), fc.integer({ min: 1, max: 40 }), fc.nat(3)) },
    { weight: 4, arbitrary: fc.tuple(fc.constant('receipts' as const), fc.integer({ min: 1, max: 40 }), fc.nat(1)) },
    { weight: 4, arbitrary: fc.tuple(fc.constant('outcomes' as const), fc.integer({ min: 1, max: 40 }), fc.nat(1)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('kill' as const), fc.constant(0), fc.constant(0)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('hour' as const), fc.constant(0), fc.constant(0)) }
  )

  it('at every instant, through any mixture of faults, kills and absences of the store, and a replay comes to the same', () =>
    fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 70 }), async steps => {
        const { intake, bench, senders } = await begin()
        for (const [what, arg, extra] of steps) {
          if (what === 'send') await senders[extra]?.sender.send(arg)
          if (what === 'store') await bench.step('store', arg, { breaks: extra === 0 })
          if (what === 'receipts' || what === 'outcomes') {
            await bench.step(what, arg)
            if (extra === 0) await bench.flush(what)
          }
          if (what === 'kill') bench.kill()
          if (what === 'hour') intake.now += HOUR
          if (what !== 'send') expectBalance(await bench.look())
        }
        await bench.drain()
        const lines = await bench.look()
        expectBalance(lines)
        for (const { station, sender } of senders) expect(sums(lines, station)).toEqual(sender.expected)
        await bench.forget()
        await bench.drain()
        expect(await bench.look()).toEqual(lines)
        const fresh = await LedgerBench.open(intake)
        closing.push(() => fresh.close())
        await fresh.drain()
        expect(await fresh.look()).toEqual(lines)
        for (const close of closing.splice(0).reverse()) await close()
      }),
      { numRuns: 12 }
    ))
})
