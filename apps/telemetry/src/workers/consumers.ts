import { parentPort, workerData } from 'node:worker_threads'
import type { State } from '#libs/adapters/state'
import { codeOf, messageOf } from '#libs/model'
import type { AggregateConsumer, AlarmLog, Consumer, LimitSource, Log, TimeSeriesStore, WriteOutcome } from '#libs/pipeline'
import { AlarmConsumer, ConsumerRunner, JournalSource, RefusalConsumer, StoreConsumer, seriesTerms } from '#libs/pipeline'
import { Closers, faultAt, loadRegistry, openLogger } from '#libs/platform'
import { openAggregateConsumer } from '../wiring/aggregates.js'
import { openState } from '../wiring/open-state.js'
import { openWriter } from '../wiring/open-store.js'
import { Stations } from '../wiring/stations.js'
import type { ThreadLife } from '../wiring/worker-thread.js'
import { Delayed } from './delayed.js'
import { ConsumersLaw } from './law.js'
import { openLedger } from './ledger.js'
import type { ConsumersSetup, FromConsumers, ToConsumers } from './protocol.js'

/**
 * The consumers' thread: everything that is derived from the journal on disk. It reads the journal file by itself, so the
 * thread of the sockets neither decodes twice nor waits for a disk.
 */
const setup = workerData as ConsumersSetup
const port = parentPort
const REPORT_MS = 250
const TICK_MS = 1_000

const post = (message: FromConsumers | ThreadLife): void => port?.postMessage(message)

async function main(): Promise<void> {
  const closers = new Closers()
  const log = openLogger(setup.log, 'consumers')
  const fault = faultAt(setup.fault)
  const state = closers.add('state', await openState(setup.state))
  const source = closers.add('journal reader', new JournalSource(setup.dataDir, log))
  const beforeCursor = () => fault('after-store-before-cursor')
  const store = closers.add('store', await openWriter({ ...setup, log }, source.identity(), beforeCursor))

  const counts = { stored: 0, replaced: 0, repeated: 0, conflicts: 0, setAside: 0 }
  const stations = await openStations()
  const law = await ConsumersLaw.open({ state, sources: setup.standards, stations: stations.all })
  const { standards } = law
  const alarms = closers.add(
    'alarms',
    new AlarmConsumer({ rules: standards.rules, alarmLog: announced(state.alarmLog), clock: Date.now, log })
  )
  const run = (consumer: Consumer) => new ConsumerRunner(consumer, { source, log })
  const storing = new StoreConsumer(store, outcome => addUp(counts, outcome))
  const delayed = [new Delayed(storing, Date.now), new Delayed(alarms, Date.now)] as const
  const [storeRunner, alarmRunner] = [run(delayed[0]), run(delayed[1])]
  const aggregates = openAggregates(stations, { store, state, limits: standards, stored: () => storeRunner.position.kept, log })
  const ledger = closers.add('ledger', openLedger({ book: state.ledgerBook, store, storing, source, intervals: setup.intervals, log }))
  const runners = [storeRunner, alarmRunner, run(new RefusalConsumer(state.refusals)), run(aggregates), ...ledger.runners]
  for (const runner of runners) runner.start()
  for (const [i, runner] of runners.entries()) closers.add(`consumer ${i}`, runner)
  closers.defer('closing of windows', () => aggregates.stop())
  closers.add('law', law.start({ alarms, termsOf: seriesTerms(stations.byCode, stations.profileOf, setup.aggregates), log }))

  const report = () =>
    post({
      type: 'report',
      positions: runners.map(r => r.position),
      store: { ...counts },
      delays: delayed.map(consumer => consumer.report()),
      unreadable: source.unreadable
    })
  const reporting = setInterval(report, REPORT_MS)
  const ticking = setInterval(() => {
    const caughtUp = alarmRunner.started && alarmRunner.position.sequence >= source.lastSequence()
    if (caughtUp) alarms.tick(Date.now()).catch((error: unknown) => log.error({ code: codeOf(error) }, messageOf(error)))
  }, TICK_MS)

  port?.on('message', (message: ToConsumers) => {
    if (message.type === 'committed') for (const runner of runners) runner.wake()
    if (message.type === 'close-windows') aggregates.close().catch((error: unknown) => log.error({ code: codeOf(error) }, messageOf(error)))
    if (message.type === 'stop') void stop()
  })
  post({ type: 'started' })

  async function stop(): Promise<void> {
    clearInterval(reporting)
    clearInterval(ticking)
    for (const failure of await closers.close()) log.error({ code: failure.code }, `closing ${failure.name}: ${failure.message}`)
    port?.close()
  }
}

async function openStations(): Promise<Stations> {
  return new Stations(await loadRegistry(setup.registryDir, setup.devicesDir))
}

interface AggregateSources {
  readonly store: TimeSeriesStore
  readonly state: State
  readonly limits: LimitSource
  readonly stored: () => number
  readonly log: Log
}

function openAggregates(stations: Stations, { store, state, limits, stored, log }: AggregateSources): AggregateConsumer {
  const sources = { stations, settings: setup.aggregates, store, aggregates: state.aggregates }
  return openAggregateConsumer({ ...sources, limits, stored, log })
}

/** Tells the main thread of each transition that has been recorded. */
function announced(inner: AlarmLog): AlarmLog {
  return {
    cursor: () => inner.cursor(),
    snapshot: () => inner.snapshot(),
    saveSnapshot: (sequence, bytes) => inner.saveSnapshot(sequence, bytes),
    record: async (transitions, upTo) => {
      await inner.record(transitions, upTo)
      if (transitions.length > 0) post({ type: 'transitions', transitions })
    }
  }
}

function addUp(counts: { -readonly [K in keyof WriteOutcome]: number }, outcome: WriteOutcome): void {
  counts.stored += outcome.stored
  counts.replaced += outcome.replaced
  counts.repeated += outcome.repeated
  counts.conflicts += outcome.conflicts
  counts.setAside += outcome.setAside
}

main().catch((error: unknown) => {
  post({ type: 'failed', code: codeOf(error), message: messageOf(error) })
  port?.close()
})
