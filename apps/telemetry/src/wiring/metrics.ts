import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Road } from '#libs/model'
import type { ForwardReport, Receipt } from '#libs/pipeline'
import type { TallyCounts } from './tally.js'
import { ACKNOWLEDGEMENT_SECONDS, DELAY_SECONDS, Tally } from './tally.js'

const ANSWER_MS = 2_000

interface PerStation {
  messages: number
  repeated: number
  accepted: number
  refused: number
}

/** What `/metrics` reads at the time of asking. */
export interface Gauges {
  ready(): boolean
  diskFreeBytes(): Promise<number>
  journal(): {
    lastSequence: number
    backlogRecords: number
    backlogBytes: number
    healthy: boolean
    fileBytes: number
    limitBytes: number
  }
  delays(): readonly { readonly consumer: string; readonly delays: TallyCounts }[]
  consumers(): readonly { name: string; sequence: number; trouble: unknown }[]
  /** Records of the journal that could not be decoded since the start. */
  unreadable(): number
  store(): { stored: number; replaced: number; repeated: number; conflicts: number }
  broker(): { connections: number; sessions: number; queued: number; refused: Readonly<Record<string, number>> }
  outbox(): Promise<{ pending: number; failed: number }>
  listeners(): number
  /** Null where nothing is encrypted. */
  certificates: { remaining(): readonly { certificate: string; ms: number }[]; readonly filesRefused: boolean } | null
  /** Null where no warehouse is set. */
  forwarding: {
    report(): ForwardReport
    status(): Promise<{ fresh: number; waiting: number; rejected: number }>
  } | null
}

/**
 * Every stage counts what came in, went out and was dropped, with the reason; names and meanings are in
 * `apps/telemetry/docs/metrics.md`. On the hot path there are only plain additions; Prometheus' objects are filled when asked.
 */
export class Metrics {
  readonly registry = new Registry()
  readonly #stations = new Map<string, PerStation>()
  readonly #byRoad: Record<Road, number> = { mqtt: 0, http: 0, file: 0 }
  readonly #acknowledgement = new Tally(ACKNOWLEDGEMENT_SECONDS)

  constructor() {
    collectDefaultMetrics({ register: this.registry, prefix: 'quantrac_' })
  }

  /** A message is in the journal and about to be acknowledged. */
  received(station: string, road: Road, receipt: Receipt): void {
    const counts = this.#of(station)
    this.#byRoad[road]++
    counts.messages++
    if (receipt.repeated) {
      counts.repeated++
      return
    }
    counts.accepted += receipt.accepted
    counts.refused += receipt.refused.length + (receipt.refusal ? 1 : 0)
  }

  /** Seconds from a message's arrival until it could be acknowledged. */
  acknowledged(seconds: number): void {
    this.#acknowledgement.add(seconds)
  }

  #of(station: string): PerStation {
    let counts = this.#stations.get(station)
    if (!counts) {
      counts = { messages: 0, repeated: 0, accepted: 0, refused: 0 }
      this.#stations.set(station, counts)
    }
    return counts
  }

  /** Binds the gauges to the running parts. Call once. */
  bind(gauges: Gauges): void {
    this.#bindIngest()
    this.#bindJournal(gauges)
    this.#bindConsumers(gauges)
    this.#bindBroker(gauges)
    if (gauges.certificates) this.#bindCertificates(gauges.certificates)
    if (gauges.forwarding) this.#bindForwarding(gauges.forwarding)
    this.#bindLatencies(gauges)
    this.#gauge('quantrac_ready', '1 while what comes in can be kept', () => (gauges.ready() ? 1 : 0))
    const disk = this.#labelled('quantrac_disk_free_bytes', 'Free bytes of the disk with the data directory', [])
    this.#onCollect(disk, async () => disk.set(await gauges.diskFreeBytes()))
    this.#gauge('quantrac_live_listeners', 'Listeners of the live stream', () => gauges.listeners())
    const outbox = this.#labelled('quantrac_outbox_messages', 'Messages in the outbox by state', ['state'])
    this.#onCollect(outbox, async () => {
      const counts = await inTime(gauges.outbox())
      outbox.reset()
      for (const state of ['pending', 'failed'] as const) if (counts) outbox.set({ state }, counts[state])
    })
  }

  #bindIngest(): void {
    const messages = this.#counter('quantrac_messages_received_total', 'Messages acknowledged after fsync, by road', ['road'], () => {
      for (const [road, value] of Object.entries(this.#byRoad)) messages.inc({ road }, value)
    })
    const readings = this.#counter('quantrac_readings_total', 'Readings by station and outcome of ingest', ['station', 'outcome'], () => {
      for (const [station, c] of this.#stations) {
        readings.inc({ station, outcome: 'accepted' }, c.accepted)
        readings.inc({ station, outcome: 'refused' }, c.refused)
      }
    })
    const repeats = this.#counter(
      'quantrac_messages_repeated_total',
      'Messages that the journal held already, by station',
      ['station'],
      () => {
        for (const [station, c] of this.#stations) repeats.inc({ station }, c.repeated)
      }
    )
  }

  #bindJournal(gauges: Gauges): void {
    this.#gauge('quantrac_journal_sequence', 'Last sequence on disk', () => gauges.journal().lastSequence)
    this.#gauge('quantrac_journal_backlog_records', 'Records not yet on disk', () => gauges.journal().backlogRecords)
    this.#gauge('quantrac_journal_backlog_bytes', 'Bytes not yet on disk', () => gauges.journal().backlogBytes)
    this.#gauge('quantrac_journal_healthy', '1 while the journal can keep messages', () => (gauges.journal().healthy ? 1 : 0))
    this.#gauge('quantrac_journal_file_bytes', 'Size of the journal', () => gauges.journal().fileBytes)
    const unreadable = this.#counter('quantrac_journal_unreadable_records_total', 'Records that could not be decoded', [], () =>
      unreadable.inc(gauges.unreadable())
    )
    this.#gauge('quantrac_journal_limit_bytes', 'Size that the journal may reach', () => gauges.journal().limitBytes)
  }

  #bindLatencies(gauges: Gauges): void {
    const arrival = { name: 'quantrac_acknowledgement_seconds', help: 'From a message’s arrival until it is acknowledged' }
    this.#histogram({ ...arrival, bounds: ACKNOWLEDGEMENT_SECONDS }, () => [{ labels: {}, ...this.#acknowledgement.counts() }])
    const delay = { name: 'quantrac_reading_delay_seconds', help: 'From a reading’s instant until a consumer was done with it' }
    this.#histogram({ ...delay, bounds: DELAY_SECONDS }, () =>
      gauges.delays().map(({ consumer, delays }) => ({ labels: { consumer }, ...delays }))
    )
  }

  #bindConsumers(gauges: Gauges): void {
    const lag = this.#labelled('quantrac_consumer_lag_records', 'Records behind the journal, by consumer', ['consumer'])
    const waiting = this.#labelled('quantrac_consumer_waiting', '1 while a consumer waits for its far side', ['consumer'])
    this.#onCollect(lag, () => {
      for (const { name, sequence, trouble } of gauges.consumers()) {
        lag.set({ consumer: name }, Math.max(0, gauges.journal().lastSequence - sequence))
        waiting.set({ consumer: name }, trouble ? 1 : 0)
      }
    })
    const stored = this.#counter('quantrac_store_readings_total', 'Readings written to the store, by what it did', ['outcome'], () => {
      for (const [outcome, value] of Object.entries(gauges.store())) stored.inc({ outcome }, value)
    })
  }

  #bindBroker(gauges: Gauges): void {
    this.#gauge('quantrac_mqtt_connections', 'Open MQTT connections', () => gauges.broker().connections)
    this.#gauge('quantrac_mqtt_sessions', 'Persistent MQTT sessions', () => gauges.broker().sessions)
    this.#gauge('quantrac_mqtt_queued_messages', 'Messages queued for persistent sessions', () => gauges.broker().queued)
    const refused = this.#counter('quantrac_mqtt_refused_total', 'Connections and packets refused, by reason', ['reason'], () => {
      for (const [reason, value] of Object.entries(gauges.broker().refused)) refused.inc({ reason }, value)
    })
  }

  #bindCertificates(certificates: NonNullable<Gauges['certificates']>): void {
    const remaining = this.#labelled('quantrac_tls_certificate_expires_seconds', 'Seconds until a certificate ends', ['certificate'])
    this.#onCollect(remaining, () => {
      for (const { certificate, ms } of certificates.remaining()) remaining.set({ certificate }, ms / 1_000)
    })
    this.#gauge('quantrac_tls_files_refused', '1 while changed certificate files cannot be used', () => (certificates.filesRefused ? 1 : 0))
  }

  #bindForwarding(forwarding: NonNullable<Gauges['forwarding']>): void {
    const sent = this.#counter('quantrac_forwarded_total', 'Aggregates sent to the warehouse, by its answer', ['outcome'], () => {
      const { trouble: _, ...counts } = forwarding.report()
      for (const [outcome, value] of Object.entries(counts)) sent.inc({ outcome }, value)
    })
    this.#gauge('quantrac_forward_waiting', '1 while the warehouse cannot be reached', () => (forwarding.report().trouble === null ? 0 : 1))
    const open = this.#labelled('quantrac_forward_aggregates', 'Aggregates that the warehouse does not have yet, by state', ['state'])
    this.#onCollect(open, async () => {
      const found = await inTime(forwarding.status())
      open.reset()
      for (const state of ['fresh', 'waiting', 'rejected'] as const) if (found) open.set({ state }, found[state])
    })
  }

  #gauge(name: string, help: string, read: () => number): void {
    const gauge = new Gauge({ name, help, registers: [this.registry] })
    this.#onCollect(gauge, () => gauge.set(read()))
  }

  #labelled(name: string, help: string, labelNames: string[]): Gauge {
    return new Gauge({ name, help, labelNames, registers: [this.registry] })
  }

  /** A histogram that is counted elsewhere: its lines are made when somebody asks. */
  #histogram({ name, help, bounds }: Bounded, read: () => readonly Labelled[]): void {
    const histogram = new Histogram({ name, help, registers: [this.registry] })
    const get = () => Promise.resolve({ name, help, type: 'histogram', values: read().flatMap(tally => linesOf(name, bounds, tally)) })
    Object.assign(histogram, { get, getForPromString: get })
  }

  /** A counter whose value lives elsewhere: it is set anew each time somebody asks. */
  #counter(name: string, help: string, labelNames: string[], fill: () => void): Counter {
    return new Counter({
      name,
      help,
      labelNames,
      registers: [this.registry],
      collect() {
        this.reset()
        fill()
      }
    })
  }

  #onCollect(gauge: Gauge, fill: () => void | Promise<void>): void {
    Object.assign(gauge, { collect: fill })
  }
}

/** What is asked of another machine must not keep all the other figures from those who look for the trouble: null then. */
async function inTime<T>(asked: Promise<T>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<null>(resolve => {
    timer = setTimeout(() => resolve(null), ANSWER_MS)
  })
  return Promise.race([asked.catch(() => null), late]).finally(() => clearTimeout(timer))
}

interface Bounded {
  readonly name: string
  readonly help: string
  readonly bounds: readonly number[]
}

type Labelled = TallyCounts & { readonly labels: Readonly<Record<string, string>> }

/** Prometheus counts upwards: each bucket holds those below it too. */
function linesOf(name: string, bounds: readonly number[], { labels, counts, sum }: Labelled) {
  let below = 0
  const buckets = counts.map((count, slot) => {
    below += count
    return { metricName: `${name}_bucket`, labels: { ...labels, le: String(bounds[slot] ?? '+Inf') }, value: below }
  })
  return [...buckets, { metricName: `${name}_sum`, labels, value: sum }, { metricName: `${name}_count`, labels, value: below }]
}
