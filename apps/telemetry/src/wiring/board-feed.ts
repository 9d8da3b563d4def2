import type { State } from '#libs/adapters/state'
import type { BoardState } from '#libs/adapters/store-influx'
import { InfluxAggregates, InfluxContext } from '#libs/adapters/store-influx'
import type { Millis, StationState } from '#libs/model'
import { codeOf, DAY, HOUR, messageOf, SECOND } from '#libs/model'
import type { Clock, Log, Standards, TermsOf } from '#libs/pipeline'
import type { Config } from '#libs/platform'
import { AggregatePages } from './aggregate-pages.js'
import type { AlarmEvents } from './alarm-events.js'
import type { BoardRegistry } from './board-registry.js'
import { boardRegistry } from './board-registry.js'
import type { StationStates } from './station-states.js'
import type { Stations } from './stations.js'

interface Sources {
  readonly context: Pick<InfluxContext, 'writeStations' | 'writeSeries' | 'writeLimits' | 'writeStates' | 'writeTransitions'>
  readonly transitions: State['transitions']
  readonly registry: (now: Millis) => BoardRegistry
  readonly states: () => Promise<readonly (readonly [station: string, state: StationState])[]>
  /** Passes some of what was published on; true while there is more. */
  readonly passAggregates: () => Promise<boolean>
  readonly clock: Clock
  readonly log: Log
  /** Pause between two looks, and after a first failure; shorter in tests. */
  readonly everyMs?: number
  readonly firstWaitMs?: number
}

const READER = 'boards'
const PAGE = 500
const EVERY_MS = 15 * SECOND
const FIRST_WAIT_MS = SECOND
const LONGEST_WAIT_MS = 60 * SECOND

/**
 * Tells InfluxDB what boards need beside the readings: the registry and its limits at the start and once a day, station states
 * when they change and once an hour, alarm transitions in the order in which they were recorded and aggregates in that of their
 * publication, from places that survive a restart. One slow loop of its own: nothing that comes in waits for it. While InfluxDB is away it waits with growing pauses.
 */
export class BoardFeed {
  readonly #sources: Sources
  readonly #told = new Map<string, { readonly state: StationState; readonly at: Millis }>()
  #registryAt: Millis = Number.NEGATIVE_INFINITY
  #place: number | null = null
  #inTrouble = false
  #stopping = false
  #wanted = false
  #wakeUp: (() => void) | null = null
  #running: Promise<void> | null = null

  constructor(sources: Sources) {
    this.#sources = sources
  }

  start(): void {
    this.#running = this.#run()
  }

  /** There may be a new transition. Cheap; call it as often as you like. */
  wake(): void {
    this.#wanted = true
    if (!this.#inTrouble) this.#wakeUp?.()
  }

  /** Ends after the call at hand; what was not told yet is told after the next start. */
  async close(): Promise<void> {
    this.#stopping = true
    this.#wakeUp?.()
    await this.#running
  }

  async #run(): Promise<void> {
    const firstWait = this.#sources.firstWaitMs ?? FIRST_WAIT_MS
    let wait = firstWait
    while (!this.#stopping) {
      this.#wanted = false
      try {
        await this.#tell()
        this.#recover()
        wait = firstWait
        await this.#pause(this.#sources.everyMs ?? EVERY_MS)
      } catch (error) {
        this.#stumble(error)
        await this.#pause(wait)
        wait = Math.min(wait * 2, LONGEST_WAIT_MS)
      }
    }
  }

  async #tell(): Promise<void> {
    for (const part of [this.#tellRegistry, this.#tellStates, this.#tellTransitions]) if (!this.#stopping) await part.call(this)
    // A year of them must not keep a transition waiting.
    if (!this.#stopping && (await this.#sources.passAggregates())) this.#wanted = true
  }

  async #tellRegistry(): Promise<void> {
    const { context, registry, clock } = this.#sources
    const now = clock()
    if (now - this.#registryAt < DAY) return
    const { stations, series, limits } = registry(now)
    await context.writeStations(stations)
    await context.writeSeries(series)
    await context.writeLimits(limits)
    this.#registryAt = now
  }

  async #tellStates(): Promise<void> {
    const { context, states, clock } = this.#sources
    const at = clock()
    const news = (await states()).flatMap(([station, state]): BoardState[] => {
      const told = this.#told.get(station)
      return told?.state === state && at - told.at < HOUR ? [] : [{ station, state, at }]
    })
    await context.writeStates(news)
    for (const { station, state } of news) this.#told.set(station, { state, at })
  }

  /** The place moves after the write: a crash in between writes the same points once more. */
  async #tellTransitions(): Promise<void> {
    const { context, transitions } = this.#sources
    let place = this.#place ?? (await transitions.place(READER))
    while (!this.#stopping) {
      const page = await transitions.after(place, PAGE)
      const last = page.at(-1)
      if (!last) break
      await context.writeTransitions(page)
      await transitions.passed(READER, last.position)
      place = last.position
    }
    this.#place = place
  }

  #recover(): void {
    if (!this.#inTrouble) return
    this.#inTrouble = false
    this.#sources.log.info({}, 'the boards’ data reach InfluxDB again')
  }

  #stumble(error: unknown): void {
    if (this.#inTrouble) return
    this.#inTrouble = true
    this.#sources.log.warn({ code: codeOf(error) }, `the boards wait for their data and it is tried again: ${messageOf(error)}`)
  }

  /** Ends early when woken, except in trouble: then only closing does. */
  async #pause(ms: number): Promise<void> {
    if (this.#stopping || (this.#wanted && !this.#inTrouble)) return
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, ms)
      this.#wakeUp = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wakeUp = null
  }
}

interface Parts {
  readonly influx: Config['influx']
  readonly stations: Stations
  readonly standards: Pick<Standards, 'rules'>
  readonly state: Pick<State, 'transitions' | 'aggregates'>
  readonly termsOf: TermsOf
  readonly states: StationStates
  readonly alarmEvents: AlarmEvents
  readonly log: Log
}

/** The running feed; one that does nothing where the time series are not in InfluxDB. */
export function startBoardFeed({ influx, stations, standards, state, termsOf, states, alarmEvents, log }: Parts): Pick<BoardFeed, 'close'> {
  if (!influx) return { close: () => Promise.resolve() }
  const target = new InfluxAggregates({ ...influx, log })
  const aggregates = new AggregatePages({ aggregates: state.aggregates, target, termsOf })
  const feed = new BoardFeed({
    context: new InfluxContext(influx),
    transitions: state.transitions,
    registry: now => boardRegistry(stations, standards.rules, now),
    states: async () => {
      const stateOf = await states.of(stations.all)
      return stations.all.map(station => [station.code, stateOf(station)] as const)
    },
    passAggregates: () => aggregates.pass(),
    clock: Date.now,
    log
  })
  feed.start()
  alarmEvents.subscribe(() => feed.wake())
  return {
    close: async () => {
      await feed.close()
      target.close()
    }
  }
}
