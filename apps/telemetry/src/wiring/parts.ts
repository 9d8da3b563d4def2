import { statfs } from 'node:fs/promises'
import { AedesBroker } from '#libs/adapters/broker-aedes'
import type { State, StatePlace } from '#libs/adapters/state'
import { hashSecret, serverLock } from '#libs/adapters/state'
import { Journal } from '#libs/journal'
import type { Millis, SeriesKey } from '#libs/model'
import type {
  Explained,
  FlaggedReadings,
  IngestPorts,
  Principal,
  Standards,
  StandardsSources,
  TermsOf,
  TimeSeriesStore
} from '#libs/pipeline'
import {
  AggregatesAsked,
  CalibrationReviews,
  explainAt,
  explainValue,
  JournalSource,
  Live,
  NewestReadings,
  ReadingsAsked,
  StatusIntervals,
  TOKEN_USER
} from '#libs/pipeline'
import type { Closers, Config, Logger, TlsCertificates } from '#libs/platform'
import { CodedError, isLoopback, loadRegistry, openLogger } from '#libs/platform'
import { AggregateViews } from '../http/aggregate-views.js'
import { AskedViews } from '../http/asked-views.js'
import { openAggregator } from './aggregates.js'
import { AlarmEvents } from './alarm-events.js'
import { startBoardFeed } from './board-feed.js'
import { CalibrationWatch } from './calibration-watch.js'
import { ConsumersThread } from './consumers-thread.js'
import type { ForwarderThread } from './forwarder-thread.js'
import { Health } from './health.js'
import { Heartbeat } from './heartbeat.js'
import { LawInForce } from './law.js'
import { certifiedStation, openCertificates, warnOfPlainListeners } from './listeners.js'
import { Metrics } from './metrics.js'
import { mqttRoad } from './mqtt-road.js'
import { openState, ownState, tieToJournal } from './open-state.js'
import { openReader } from './open-store.js'
import { startSending } from './sending.js'
import { StationStates } from './station-states.js'
import { Stations } from './stations.js'

/** The running parts, as HTTP and the schedules need them. */
export interface Parts {
  readonly config: Config
  readonly log: Logger
  readonly stations: Stations
  readonly states: StationStates
  readonly law: LawInForce
  readonly standards: Standards
  /** The verdicts of a series at an instant, or of a value put in by hand; null for a series that the registry does not know. */
  readonly explain: (series: SeriesKey, at: Millis, value: number | null) => Promise<Explained[] | null>
  /** The store's readings with the flags of the quality tests. */
  readonly flagged: FlaggedReadings
  readonly askedViews: AskedViews
  readonly statusIntervals: StatusIntervals
  readonly calibrations: CalibrationReviews
  readonly calibrationWatch: CalibrationWatch
  readonly consumers: Pick<ConsumersThread, 'closeWindows'>
  readonly journal: Journal
  readonly store: TimeSeriesStore
  readonly state: State
  readonly broker: AedesBroker
  /** Null where nothing is encrypted. */
  readonly certificates: TlsCertificates | null
  readonly live: Live
  readonly newest: NewestReadings
  readonly alarmEvents: AlarmEvents
  readonly metrics: Metrics
  readonly health: Health
  readonly ingest: IngestPorts
}

interface RegistryFiles {
  readonly stations: Stations
  /** Alarm rules and law as they stand there, not held against anything yet. */
  readonly sources: StandardsSources
}

interface Registry extends RegistryFiles {
  readonly standards: Standards
}

/**
 * Opens everything in the order in which a message travels, backwards: what is derived first, the journal, and the broker
 * last, so that nothing comes in before it can be kept. Each part is registered with `closers` as soon as it stands.
 * @throws CodedError naming what must be changed; whatever was opened before is closed by the caller.
 */
export async function openParts(config: Config, closers: Closers, onDeath: (error: Error) => void): Promise<Parts> {
  const log = openLogger(config.log, 'telemetry')
  const files = await openRegistry(config)
  const certificates = await openCertificates(config, log)
  if (certificates) closers.add('certificates', certificates)
  const { place, state } = await openOwnState(config, closers, onDeath)
  warnOfPlainListeners(config, log)
  const law = closers.add('law', await LawInForce.open({ ...files, state, log }))
  const registry = { ...files, standards: law.standards }
  const journal = closers.add('journal', await openJournal(config, log))
  const alarmEvents = new AlarmEvents()
  const metrics = new Metrics()

  const source = closers.add('live reader', new JournalSource(config.dataDir, log))
  if (config.stateUrl !== null) await tieToJournal(state, source.identity(), journal.lastSequence)
  const live = new Live(source)
  // The consumers' thread makes the embedded store's file; it is opened for reading afterwards.
  const wakeOutbox: { wake: () => void } = { wake: () => {} }
  const sources = { config, place, registry, journal, log }
  const consumers = closers.add('consumers', await startConsumers(sources, { alarmEvents, wakeOutbox, onDeath }))
  const store = closers.add('store', await openReader({ ...config, log }))
  journal.onCommit(() => {
    consumers.committed()
    live.wake()
  })
  consumers.committed()

  const stored = () => consumers.report.positions.find(({ name }) => name === 'store')?.sequence ?? 0
  const newest = closers.add('newest readings', new NewestReadings({ store, stored, clock: Date.now, log }))
  await newest.fill(journal.lastSequence)

  const ingest: IngestPorts = { journal, profileOf: registry.stations.profileOf, clock: Date.now, kept: r => newest.see(r) }
  const broker = closers.add('broker', await openBroker({ config, registry, state, certificates, ingest, metrics, log }))
  startHeartbeat({ journal, state, closers, log })
  const { outbox, forwarder } = await startSending({ ...sources, state, broker, closers, onDeath })
  wakeOutbox.wake = () => outbox.wake()

  law.start()
  const states = new StationStates({ ...registry, newest, clock: Date.now, alarms: state.alarms, aggregates: state.aggregates })
  const { termsOf, ...questions } = aggregateQuestions(config, registry, { store, state })
  const reviewing = { stations: registry.stations.byCode, newest, reviews: questions.calibrations, clock: Date.now, log }
  const calibrationWatch = closers.add('calibration watch', new CalibrationWatch(reviewing).start())
  closers.add('board feed', startBoardFeed({ influx: config.influx, ...registry, state, termsOf, states, alarmEvents, log }))

  const health = healthOf(journal, consumers)
  bindMetrics(metrics, { dataDir: config.dataDir, health, journal, consumers, broker, state, live, certificates, forwarder })
  return {
    ...{ config, log, journal, store, state, broker, certificates, live, newest, alarmEvents, metrics, health, ingest },
    ...registry,
    states,
    law,
    ...questions,
    calibrationWatch,
    consumers
  }
}

/** The ledger tells our own downtime from what is silent: it needs to know when we could acknowledge. */
function startHeartbeat({ journal, state, closers, log }: Pick<Parts, 'journal' | 'state' | 'log'> & { readonly closers: Closers }): void {
  const acknowledges = () => journal.health().state === 'ok'
  closers.add('heartbeat', new Heartbeat({ uptime: state.uptime, acknowledges, clock: Date.now, log }))
}

/** The state, for this server alone, and only with credentials where it could be reached from outside. */
async function openOwnState(
  config: Config,
  closers: Closers,
  onDeath: (error: Error) => void
): Promise<{ place: StatePlace; state: State }> {
  closers.add('data directory lock', serverLock(config.dataDir))
  const place = await ownState(config, closers, onDeath)
  const state = closers.add('state', await openState(place))
  await refuseOpenDoor(config, state)
  return { place, state }
}

function aggregateQuestions(
  { aggregates: settings }: Config,
  { stations, standards }: Registry,
  { store, state: { aggregates, corrections } }: { store: TimeSeriesStore; state: State }
): Pick<Parts, 'flagged' | 'askedViews' | 'statusIntervals' | 'calibrations' | 'explain'> & { termsOf: TermsOf } {
  const aggregating = openAggregator({ stations, settings, store, aggregates, limits: standards })
  const { termsOf, readings: flagged } = aggregating
  const readings = new ReadingsAsked(flagged, corrections)
  const published = new AggregateViews({ ...aggregating, aggregates, standards })
  const asked = new AggregatesAsked({ readings, aggregates, termsOf, limits: standards })
  const statusIntervals = new StatusIntervals({ ...aggregating, store })
  return {
    termsOf,
    flagged,
    askedViews: new AskedViews({ readings, published, aggregates: asked, clock: Date.now }),
    statusIntervals,
    calibrations: new CalibrationReviews({ intervals: statusIntervals, store, standards }),
    explain: async (series, at, value) => {
      const known = termsOf(series)
      if (!known) return null
      if (value !== null) return explainValue(series, { at, value }, { standards, known })
      return explainAt(series, at, { store: flagged, aggregator: aggregating.aggregator, standards, known })
    }
  }
}

const healthOf = (journal: Journal, consumers: ConsumersThread): Health =>
  new Health({
    journal: () => journal.health(),
    lastSequence: () => journal.lastSequence,
    positions: () => consumers.report.positions
  })

async function openRegistry(config: Config): Promise<RegistryFiles> {
  const { rules, law, ...registry } = await loadRegistry(config.registryDir, config.devicesDir)
  return { stations: new Stations(registry), sources: { rules, law } }
}

function openJournal(config: Config, log: Logger): Promise<Journal> {
  const point = config.fault?.point
  const fault =
    point === 'before-commit' || point === 'after-commit-before-ack' ? { faultPoint: point, faultAfter: config.fault?.after ?? 1 } : {}
  const { maxBytes, keepMs } = config.journal
  return Journal.open({ dir: config.dataDir, maxBytes, maxAgeMs: keepMs, ...fault }).then(journal => {
    journal.onHealth(({ state, code, message }) => {
      if (state === 'ok') log.info({}, 'the journal keeps messages again')
      else log.error({ code }, `the journal cannot keep messages, nothing is acknowledged: ${message ?? state}`)
    })
    return journal
  })
}

interface ConsumerSources {
  readonly config: Config
  readonly place: StatePlace
  readonly registry: Registry
  readonly journal: Journal
  readonly log: Logger
}

interface ConsumerEvents {
  readonly alarmEvents: AlarmEvents
  readonly wakeOutbox: { wake: () => void }
  readonly onDeath: (error: Error) => void
}

function startConsumers(sources: ConsumerSources, { alarmEvents, wakeOutbox, onDeath }: ConsumerEvents): Promise<ConsumersThread> {
  const { config, place, registry, journal, log } = sources
  const fault = config.fault
  return ConsumersThread.start(
    { ...config, state: place, standards: registry.sources, intervals: registry.stations.intervals(), fault },
    {
      onTransitions: transitions => {
        alarmEvents.tell(transitions)
        wakeOutbox.wake()
      },
      onReport: report => {
        for (const { name, kept } of report.positions) journal.mark(name, kept)
      },
      onDeath
    },
    log
  )
}

interface BrokerSources {
  readonly config: Config
  readonly registry: Registry
  readonly state: State
  readonly certificates: TlsCertificates | null
  readonly ingest: IngestPorts
  readonly metrics: Metrics
  readonly log: Logger
}

function openBroker({ config, registry, state, certificates, ingest, metrics, log }: BrokerSources): Promise<AedesBroker> {
  const { stations } = registry
  return AedesBroker.listen({
    host: config.mqtt.host,
    ports: { tcp: config.mqtt.port, tls: config.mqtt.tlsPort, ws: config.mqtt.wsPort, wss: config.mqtt.wssPort },
    ...(certificates ? { certificates } : {}),
    dataDir: config.dataDir,
    limits: {
      connections: config.mqtt.maxConnections,
      connectionsPerAddress: config.mqtt.maxConnectionsPerAddress,
      sessions: config.mqtt.maxSessions
    },
    authenticate: (username, password, certificate) =>
      certificate === null ? authenticate(username, password, { stations, state }) : certifiedStation(certificate, username, stations),
    onPublish: mqttRoad(stations.byCode, ingest, metrics),
    log,
    now: Date.now
  })
}

async function authenticate(
  username: string | undefined,
  password: Uint8Array | undefined,
  { stations, state }: { stations: Stations; state: State }
): Promise<Principal | null> {
  if (username === undefined || password === undefined) return null
  const secret = Buffer.from(password).toString('utf8')
  if (username === TOKEN_USER) {
    const token = await state.tokens.find(secret)
    return token && { kind: 'token', ...token }
  }
  if (!stations.byCode.has(username)) return null
  return (await state.credentials.find(username, hashSecret(secret))) ? { kind: 'station', code: username } : null
}

interface MetricSources {
  readonly dataDir: string
  readonly health: Health
  readonly journal: Journal
  readonly consumers: ConsumersThread
  readonly broker: AedesBroker
  readonly state: State
  readonly live: Live
  readonly certificates: TlsCertificates | null
  readonly forwarder: ForwarderThread | null
}

function bindMetrics(metrics: Metrics, sources: MetricSources): void {
  const { dataDir, health, journal, consumers, broker, state, live, certificates, forwarder } = sources
  metrics.bind({
    ready: () => health.report().status === 'ready',
    diskFreeBytes: async () => {
      const { bavail, bsize } = await statfs(dataDir)
      return bavail * bsize
    },
    journal: () => {
      const backlog = journal.backlog()
      const { usedBytes, maxBytes } = journal.stats()
      return {
        lastSequence: journal.lastSequence,
        backlogRecords: backlog.records,
        backlogBytes: backlog.bytes,
        healthy: journal.health().state === 'ok',
        fileBytes: usedBytes,
        limitBytes: maxBytes
      }
    },
    consumers: () => consumers.report.positions,
    delays: () => consumers.report.delays,
    store: () => consumers.report.store,
    unreadable: () => consumers.report.unreadable,
    broker: () => {
      const { connections, sessions, queued, refused } = broker.stats()
      return { connections, sessions, queued: queued.messages, refused }
    },
    outbox: () => state.outbox.stats(),
    listeners: () => live.listeners,
    certificates,
    forwarding: forwarder && { report: () => forwarder.report, status: () => state.forwarding.status() }
  })
}

/** @throws CodedError when the server would listen beyond this machine while nobody needs a credential yet. */
async function refuseOpenDoor(config: Config, state: State): Promise<void> {
  const outside = [config.http.host, config.mqtt.host].filter(host => !isLoopback(host))
  if (outside.length === 0) return
  if (config.demo) {
    throw new CodedError(
      'QT_DEMO_NOT_LOOPBACK',
      `the demo listens on this machine alone, not on ${outside.join(', ')}: set QUANTRAC_DEMO=off`
    )
  }
  const tokens = await state.tokens.list()
  if (tokens.length > 0) return
  const remedy = 'make an API token first: npm run -s ops -- token add NAME --role operator'
  throw new CodedError('QT_NO_CREDENTIALS', `listening on ${outside.join(', ')} without any API token is refused; ${remedy}`)
}
