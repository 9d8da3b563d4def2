import { setTimeout as sleep } from 'node:timers/promises'
import { Connection, type ConnectionObserver } from './connection.js'
import { LoadError } from './errors.js'
import type { Qos } from './frames.js'
import { Histogram, type Quantiles } from './histogram.js'
import { OpenLoop } from './open-loop.js'
import { makeShape, type ShapeOptions } from './shapes.js'

/** One connection: who it is for the broker, and which station it publishes for. */
export interface LoadClient {
  readonly clientId: string
  readonly station: string
  readonly username?: string
  readonly password?: string
}

export interface LoadOptions {
  readonly host: string
  readonly port: number
  readonly clients: readonly LoadClient[]
  readonly qos: Qos
  /** Closed loop: every connection keeps up to `window` messages in flight. Open loop: `rate` messages a second altogether. */
  readonly pace: { readonly window: number } | { readonly rate: number }
  readonly seconds: number
  readonly warmupSeconds: number
  readonly payload: ShapeOptions['payload']
  readonly parameters: number
  /** `{station}` stands for the client's station. */
  readonly topic: string
  readonly clean: boolean
  /** How far `at` lies behind the clock; room for stations with more than 1,000 messages a second, whose `at` runs ahead of it. */
  readonly atLagMs: number
  /** Ends the run early; what was measured until then is the result. */
  readonly signal?: AbortSignal
}

export interface LoadResult {
  readonly connections: number
  readonly qos: Qos
  readonly pace: LoadOptions['pace']
  /** Bytes of a PUBLISH, fixed header included. */
  readonly frameBytes: number
  /** Length of the measured part, without warm-up. */
  readonly seconds: number
  readonly sentPerSecond: number
  readonly acknowledgedPerSecond: number
  /** PUBLISH to PUBACK (QoS 1) or PUBREC (QoS 2); in the open loop counted from the intended moment of sending. */
  readonly ackMs: Quantiles
  /** Open loop: how much later than intended the client itself sent. Part of `ackMs`. */
  readonly lateMs: Quantiles
  /** CPU of this process, user and system, per message of the measured part. */
  readonly clientCpuUsPerMessage: number
  /** Of the whole run. `lost`: acknowledgement never came. `surplus`: acknowledgements that nobody waited for. */
  readonly total: { sent: number; acknowledged: number; lost: number; surplus: number; reconnects: number; sessionsLost: number }
  readonly lastDisconnect: string | null
}

interface Snapshot {
  readonly at: number
  readonly cpu: NodeJS.CpuUsage
  readonly sent: number
  readonly acknowledged: number
}

const CONNECT_TIMEOUT_MS = 15_000
const DRAIN_MS = 10_000
const SWEEP_MS = 4
const KEEP_ALIVE_SECONDS = 60
/** In the open loop a slow broker fills this many slots of a connection before sending itself is delayed. */
const OPEN_LOOP_WINDOW = 256

/** Puts load on any MQTT 3.1.1 broker and measures. Throws LoadError when not every client can connect. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const run = new LoadRun(options)
  try {
    await run.connect()
    return await run.measure()
  } finally {
    run.stop()
  }
}

class LoadRun implements ConnectionObserver {
  readonly #options: LoadOptions
  readonly #connections: Connection[]
  readonly #ackTimes = new Histogram()
  readonly #openLoop: OpenLoop | undefined
  readonly #pings: NodeJS.Timeout
  #started = false
  #acknowledged = 0
  #surplus = 0
  #connects = 0
  #reconnects = 0
  #sessionsLost = 0
  #lastDisconnect: string | null = null
  #flood: NodeJS.Immediate | undefined
  #sweep: NodeJS.Timeout | undefined

  constructor(options: LoadOptions) {
    this.#options = options
    this.#connections = options.clients.map(client => this.#connection(client))
    const { pace } = options
    this.#openLoop = 'rate' in pace ? new OpenLoop(this.#connections, pace.rate) : undefined
    this.#pings = setInterval(() => this.#connections.forEach(c => c.keepAlive()), (KEEP_ALIVE_SECONDS * 1_000) / 2)
  }

  #connection(client: LoadClient): Connection {
    const { host, port, qos, pace, payload, parameters, topic, clean, atLagMs } = this.#options
    const window = 'window' in pace ? pace.window : OPEN_LOOP_WINDOW
    const batch = 'window' in pace ? Math.ceil(window / 2) : 1
    const clock = () => Date.now() - atLagMs
    const shape = makeShape({ topic: topic.replaceAll('{station}', client.station), qos, payload, parameters, clock })
    const { clientId, username, password } = client
    const named = { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) }
    const session = { clientId, clean, keepAliveSeconds: KEEP_ALIVE_SECONDS, ...named }
    return new Connection({ host, port, session, qos, window, batch, shape }, this)
  }

  acknowledged(_number: number, ms: number): void {
    this.#acknowledged++
    this.#ackTimes.record(ms * 1_000)
  }

  surplus(): void {
    this.#surplus++
  }

  connected(resumed: boolean): void {
    this.#connects++
    if (!this.#started) return
    this.#reconnects++
    if (!resumed && !this.#options.clean) this.#sessionsLost++
  }

  disconnected(reason: string): void {
    this.#lastDisconnect = reason
  }

  async connect(): Promise<void> {
    for (const connection of this.#connections) connection.open()
    const until = performance.now() + CONNECT_TIMEOUT_MS
    while (!this.#connections.every(c => c.ready)) {
      if (performance.now() > until || this.#options.signal?.aborted || this.#lastDisconnect?.startsWith('refused'))
        throw this.#noConnection()
      await sleep(20)
    }
    this.#started = true
  }

  #noConnection(): LoadError {
    const { host, port, clients } = this.#options
    const what = `${this.#connects} of ${clients.length} connections to ${host}:${port}; last: ${this.#lastDisconnect ?? 'no answer'}`
    if (this.#lastDisconnect?.startsWith('refused')) {
      return new LoadError('QT_LOAD_REFUSED', `The broker refused a client: ${what}. Check the users file.`)
    }
    return new LoadError('QT_LOAD_UNREACHABLE', `Could not connect: ${what}. Is the broker running there?`)
  }

  async measure(): Promise<LoadResult> {
    const { warmupSeconds, seconds } = this.#options
    this.#begin()
    await this.#pause(warmupSeconds)
    this.#ackTimes.reset()
    this.#openLoop?.late.reset()
    const before = this.#snapshot()
    await this.#pause(seconds)
    const after = this.#snapshot()
    const ackMs = this.#ackTimes.quantiles()
    await this.#drain()
    return this.#result(before, after, ackMs)
  }

  #begin(): void {
    if (this.#openLoop) {
      this.#openLoop.start()
      return
    }
    for (const connection of this.#connections) connection.allow(Number.POSITIVE_INFINITY)
    if (this.#options.qos === 0) this.#keepFlooding()
    // A broker with Nagle's algorithm holds further acknowledgements back until we send: never wait long for a full batch.
    else this.#sweep = setInterval(() => this.#connections.forEach(c => c.pump(1)), SWEEP_MS)
  }

  /** Without acknowledgements nothing but the socket's buffer says when to go on. */
  #keepFlooding(): void {
    for (const connection of this.#connections) connection.pump()
    this.#flood = setImmediate(() => this.#keepFlooding())
  }

  async #pause(seconds: number): Promise<void> {
    const { signal } = this.#options
    await sleep(seconds * 1_000, undefined, signal ? { signal } : {}).catch(() => undefined)
  }

  #snapshot(): Snapshot {
    return { at: performance.now(), cpu: process.cpuUsage(), sent: this.#sent(), acknowledged: this.#acknowledged }
  }

  #sent(): number {
    return this.#connections.reduce((sum, c) => sum + c.sent, 0)
  }

  #inFlight(): number {
    return this.#connections.reduce((sum, c) => sum + c.inFlight, 0)
  }

  async #drain(): Promise<void> {
    this.#endLoops()
    for (const connection of this.#connections) connection.allow(connection.sent)
    const until = performance.now() + DRAIN_MS
    while (this.#inFlight() > 0 && performance.now() < until) await sleep(10)
  }

  #result(before: Snapshot, after: Snapshot, ackMs: Quantiles): LoadResult {
    const { qos, pace } = this.#options
    const seconds = (after.at - before.at) / 1_000
    const sent = after.sent - before.sent
    const acknowledged = after.acknowledged - before.acknowledged
    const cpu = after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system
    return {
      connections: this.#connections.length,
      qos,
      pace,
      frameBytes: this.#connections[0]?.frameBytes ?? 0,
      seconds,
      sentPerSecond: sent / seconds,
      acknowledgedPerSecond: acknowledged / seconds,
      ackMs,
      lateMs: (this.#openLoop?.late ?? new Histogram()).quantiles(),
      clientCpuUsPerMessage: cpu / Math.max(1, qos === 0 ? sent : acknowledged),
      total: {
        sent: this.#sent(),
        acknowledged: this.#acknowledged,
        lost: this.#inFlight(),
        surplus: this.#surplus,
        reconnects: this.#reconnects,
        sessionsLost: this.#sessionsLost
      },
      lastDisconnect: this.#lastDisconnect
    }
  }

  stop(): void {
    clearInterval(this.#pings)
    this.#endLoops()
    for (const connection of this.#connections) connection.stop()
  }

  #endLoops(): void {
    this.#openLoop?.stop()
    clearInterval(this.#sweep)
    if (this.#flood) clearImmediate(this.#flood)
  }
}
