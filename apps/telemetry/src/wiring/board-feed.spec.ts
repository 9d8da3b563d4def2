import { afterEach, describe, expect, it } from '@jest/globals'
import type { BoardState, RecordedTransition } from '#libs/adapters/store-influx'
import { InfluxContextError } from '#libs/adapters/store-influx'
import type { StationState } from '#libs/model'
import { DAY, HOUR } from '#libs/model'
import type { AlarmTransition } from '#libs/pipeline'
import { BoardFeed } from './board-feed.js'

const EVERY_MS = 5
const START = Date.UTC(2026, 10, 24, 3)

/** InfluxDB as the feed sees it: it keeps points by their identity, and can be away. */
class Far {
  away = false
  calls = 0
  registries = 0
  readonly states: BoardState[] = []
  readonly points = new Map<string, number>()
  writes = 0

  writeStations = () => this.#take(() => this.registries++)
  writeSeries = () => this.#take(() => {})
  writeLimits = () => this.#take(() => {})
  writeStates = (states: readonly BoardState[]) => this.#take(() => this.states.push(...states))
  writeTransitions = (transitions: readonly RecordedTransition[]) =>
    this.#take(() => {
      for (const { position, transition } of transitions) this.points.set(transition.id, position)
      this.writes += transitions.length
    })

  async #take(keep: () => void): Promise<void> {
    this.calls++
    if (this.away) throw new InfluxContextError('nobody answers')
    keep()
  }
}

/** The state's side: transitions in order, and a place that survives the feed. */
class Near {
  readonly recorded: RecordedTransition[] = []
  kept = 0
  failsToPass = 0

  record(...ids: readonly string[]): void {
    for (const id of ids) this.recorded.push({ position: this.recorded.length + 1, transition: { id } as AlarmTransition })
  }

  after = (position: number, limit: number) => Promise.resolve(this.recorded.filter(entry => entry.position > position).slice(0, limit))
  place = () => Promise.resolve(this.kept)
  async passed(_reader: string, position: number): Promise<void> {
    if (this.failsToPass-- > 0) throw new Error('the state is busy')
    this.kept = position
  }
}

const bench = () => {
  const far = new Far()
  const near = new Near()
  const now = { at: START }
  const states = new Map<string, StationState>([['AG-1', 'good']])
  const log: string[] = []
  const aggregates = { pages: 0 }
  const say = (level: string) => (_fields: object, message: string) => void log.push(`${level} ${message}`)
  const open = () => {
    const feed = new BoardFeed({
      context: far,
      transitions: near as never,
      registry: () => ({ stations: [], series: [], limits: [] }),
      states: () => Promise.resolve([...states]),
      passAggregates: () => Promise.resolve(aggregates.pages-- > 0),
      clock: () => now.at,
      log: { info: say('info'), warn: say('warn'), error: say('error') },
      everyMs: EVERY_MS,
      firstWaitMs: EVERY_MS
    })
    running.push(feed)
    feed.start()
    return feed
  }
  return { far, near, now, states, aggregates, log, open }
}
const running: BoardFeed[] = []
afterEach(async () => {
  for (const feed of running.splice(0)) await feed.close()
})

async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 5_000
  while (!holds()) {
    if (Date.now() > end) throw new Error('did not happen')
    await new Promise(resolve => setTimeout(resolve, 2))
  }
}

/** Two more looks at everything. */
async function twoRounds(far: Far): Promise<void> {
  const before = far.calls
  await until(() => far.calls >= before + 2)
}

describe('the boards’ feed', () => {
  it('tells the registry at the start and again after a day', async () => {
    const { far, now, open } = bench()
    open()
    await twoRounds(far)
    expect(far.registries).toBe(1)
    now.at += DAY
    await until(() => far.registries === 2)
  })

  it('tells a state when it changes and once an hour, not in between', async () => {
    const { far, now, states, open } = bench()
    open()
    await twoRounds(far)
    expect(far.states).toEqual([{ station: 'AG-1', state: 'good', at: START }])
    now.at += 60_000
    states.set('AG-1', 'exceeds')
    await until(() => far.states.length > 1)
    expect(far.states.at(-1)).toEqual({ station: 'AG-1', state: 'exceeds', at: START + 60_000 })
    now.at += HOUR
    await until(() => far.states.length > 2)
    expect(far.states.at(-1)).toEqual({ station: 'AG-1', state: 'exceeds', at: START + 60_000 + HOUR })
  })

  it('tells every transition in order, and goes on where it stood after a restart', async () => {
    const { far, near, open } = bench()
    near.record(...Array.from({ length: 1_200 }, (_, i) => `t${i}`))
    const feed = open()
    await until(() => near.kept === 1_200)
    await feed.close()
    near.record('late')
    open()
    await until(() => near.kept === 1_201)
    expect([...far.points.values()]).toEqual(Array.from({ length: 1_201 }, (_, i) => i + 1))
    expect(far.writes).toBe(1_201)
  })

  it('writes again what it could not mark as written: the same points', async () => {
    const { far, near, open } = bench()
    near.record('a', 'b')
    near.failsToPass = 2
    open()
    await until(() => near.kept === 2)
    expect(far.writes).toBe(6)
    expect(far.points.size).toBe(2)
  })

  it('waits while InfluxDB is away, says so once, and loses nothing', async () => {
    const { far, near, log, open } = bench()
    far.away = true
    near.record('a')
    const feed = open()
    await until(() => far.calls >= 4)
    near.record('b')
    feed.wake()
    expect(far.points.size).toBe(0)
    expect(log).toEqual([expect.stringMatching(/^warn the boards wait for their data .*nobody answers/)])
    far.away = false
    await until(() => near.kept === 2)
    expect([...far.points.keys()]).toEqual(['a', 'b'])
    await until(() => log.length > 1)
    expect(log).toEqual([expect.anything(), 'info the boards’ data reach InfluxDB again'])
  })

  it('ends at once when it is closed in a pause', async () => {
    const { far, open } = bench()
    far.away = true
    const feed = open()
    await until(() => far.calls > 0)
    await feed.close()
    const calls = far.calls
    await new Promise(resolve => setTimeout(resolve, 3 * EVERY_MS))
    expect(far.calls).toBe(calls)
  })

  it('goes on at once while there are more aggregates, and looks at the others in between', async () => {
    const { far, near, aggregates, open } = bench()
    aggregates.pages = 3
    near.record('a')
    open()
    await until(() => aggregates.pages < 0)
    near.record('b')
    await until(() => far.points.has('b'))
  })
})
