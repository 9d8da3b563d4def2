import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { State } from '#libs/adapters/state'
import { SqliteStore } from '#libs/adapters/store-sqlite'
import { Journal } from '#libs/journal'
import type { Millis, Station } from '#libs/model'
import type { Consumer, Inbound, LedgerLine, Log, Receipt, RecordBatch } from '#libs/pipeline'
import {
  BoundedSource,
  GAP_INTERVALS,
  ingest,
  JournalSource,
  LedgerConsumer,
  OutcomeKeeper,
  ReceiptKeeper,
  StoreConsumer
} from '#libs/pipeline'
import { loadRegistry } from '#libs/platform'
import { LedgerLines } from '../src/http/ledger-lines.js'
import { openState } from '../src/wiring/open-state.js'
import { Stations } from '../src/wiring/stations.js'

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} }

export type Who = 'store' | 'receipts' | 'outcomes'
interface Moved {
  readonly store: StoreConsumer
  readonly receipts: LedgerConsumer
  readonly outcomes: LedgerConsumer
}

/** A journal with what comes in, and the registry of the example province. */
export class Intake {
  readonly dir: string
  readonly stations: Stations
  readonly journal: Journal
  now: Millis

  private constructor(dir: string, stations: Stations, journal: Journal, now: Millis) {
    this.dir = dir
    this.stations = stations
    this.journal = journal
    this.now = now
  }

  static async open(now: Millis): Promise<Intake> {
    const dir = mkdtempSync(join(tmpdir(), 'quantrac-ledger-'))
    const registry = await loadRegistry('devices/registry', 'devices')
    return new Intake(dir, new Stations(registry), await Journal.open({ dir }), now)
  }

  take(station: Station, payload: string, more: Partial<Inbound> = {}): Promise<Receipt> {
    const message: Inbound = {
      station,
      subject: 'readings',
      road: 'mqtt',
      qos: 1,
      mayRepeat: false,
      payload: new TextEncoder().encode(payload),
      ...more
    }
    return ingest(message, { journal: this.journal, profileOf: this.stations.profileOf, clock: () => this.now, kept: () => {} })
  }

  async close(): Promise<void> {
    await this.journal.close()
    rmSync(this.dir, { recursive: true, force: true })
  }
}

/** Store and ledger of a journal, each consumer moved by hand: a test chooses what has been done when it looks, and what a kill forgets. */
export class LedgerBench {
  readonly state: State
  readonly store: SqliteStore
  readonly lines: LedgerLines
  readonly #source: JournalSource
  readonly #intake: Intake
  readonly #dir: string
  readonly #fault: { throws: boolean }
  #moved: Moved
  #positions: Record<Who, number> | null = null

  private constructor(intake: Intake, parts: { dir: string; state: State; store: SqliteStore; fault: { throws: boolean } }) {
    this.#intake = intake
    this.#dir = parts.dir
    this.#fault = parts.fault
    this.state = parts.state
    this.store = parts.store
    this.#source = new JournalSource(intake.dir, silent)
    this.lines = new LedgerLines({
      pages: this.state.ledger,
      forwarding: this.state.forwarding,
      stations: intake.stations,
      clock: () => intake.now
    })
    this.#moved = this.#make()
  }

  static async open(intake: Intake): Promise<LedgerBench> {
    const dir = mkdtempSync(join(tmpdir(), 'quantrac-ledger-'))
    const fault = { throws: false }
    const beforeCursor = (): void => {
      if (fault.throws) throw new Error('killed')
    }
    return new LedgerBench(intake, {
      dir,
      fault,
      state: await openState({ dataDir: dir }),
      store: await SqliteStore.open({ dataDir: dir, beforeCursor })
    })
  }

  /** Lets one consumer read on, up to a record. With `breaks`, the store does so and loses it all. False where there was nothing to read. */
  async step(who: Who, upTo = Number.MAX_SAFE_INTEGER, { breaks = false } = {}): Promise<boolean> {
    const { store, receipts, outcomes } = this.#moved
    const positions = (this.#positions ??= {
      store: await store.start(),
      receipts: await receipts.start(),
      outcomes: await outcomes.start()
    })
    const bounds = who === 'outcomes' ? [() => store.kept(), () => receipts.kept()] : []
    const batch: RecordBatch = new BoundedSource(this.#source, [() => upTo, ...bounds]).read(positions[who])
    if (batch.upTo <= positions[who]) return false
    this.#fault.throws = breaks
    const consumer: Consumer = this.#moved[who]
    const done = await consumer.consume(batch.records, batch.upTo).then(
      () => true,
      () => false
    )
    this.#fault.throws = false
    if (done) positions[who] = batch.upTo
    return done
  }

  flush(who: 'receipts' | 'outcomes'): Promise<void> {
    return this.#moved[who].flush()
  }

  /** Everything that only memory knew is gone. */
  kill(): void {
    this.#moved = this.#make()
    this.#positions = null
  }

  async drain(): Promise<void> {
    while (await this.step('store'));
    while (await this.step('receipts'));
    await this.flush('receipts')
    while (await this.step('outcomes'));
    await this.flush('outcomes')
  }

  async look(): Promise<LedgerLine[]> {
    return (await this.lines.page({ from: 0, limit: 1_000 })).lines
  }

  /** Forgets the ledger, as if it had never been. */
  async forget(): Promise<void> {
    for (const account of ['ledger-receipts', 'ledger-outcomes'] as const) await this.state.ledgerBook.reset(account)
    this.kill()
  }

  async close(): Promise<void> {
    this.#source.close()
    await this.state.close()
    await this.store.close()
    rmSync(this.#dir, { recursive: true, force: true })
  }

  #make(): Moved {
    const { store } = this
    const intervals = this.#intake.stations.intervals()
    return {
      store: new StoreConsumer(store, () => {}),
      receipts: new LedgerConsumer(new ReceiptKeeper(this.state.ledgerBook)),
      outcomes: new LedgerConsumer(
        new OutcomeKeeper({
          book: this.state.ledgerBook,
          store,
          toleranceOf: station => GAP_INTERVALS * (intervals.get(station) ?? 300_000)
        })
      )
    }
  }
}
