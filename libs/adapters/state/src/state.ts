import { Kysely } from 'kysely'
import type { Clock } from '#libs/pipeline'
import { StateAggregateLog } from './aggregates.js'
import { StateAlarmLog } from './alarm-log.js'
import { Alarms } from './alarms.js'
import { Corrections } from './corrections.js'
import { Credentials } from './credentials.js'
import { ensureFile } from './data-dir.js'
import { FileDialect } from './file-dialect.js'
import { Forwarding } from './forwarding.js'
import { JournalTie } from './journal-tie.js'
import { LawBook } from './law-book.js'
import { StateLedgerBook } from './ledger-book.js'
import { LedgerPages } from './ledger-pages.js'
import type { AlarmLife } from './life.js'
import { migrate } from './migrations.js'
import { StateOutbox } from './outbox.js'
import { Recipients } from './recipients.js'
import { Refusals } from './refusals.js'
import type { Databases, Tables } from './schema.js'
import { ServerDialect } from './server-dialect.js'
import { Tokens } from './tokens.js'
import { Transitions } from './transitions.js'
import { Uptime } from './uptime.js'

export interface StatePlace {
  readonly dataDir: string
  /** `postgres://…`: the state lies there, in a schema of its own. Null or missing: in a file of the data directory. */
  readonly url?: string | null
  /** The server that these connections speak for (`StateLock.owner`); null or missing for programs beside it. */
  readonly owner?: string | null
}

export interface StateOptions extends StatePlace {
  /** `{ mergeAlarm, acknowledge }` of the alarm library. */
  readonly life: AlarmLife
  readonly clock?: Clock
  /** Rows that the list of refusals holds at most; 100,000 unless told. */
  readonly maxRefusals?: number
  /** Corrections that nobody has decided, at most; 1,000 unless told. */
  readonly maxOpenCorrections?: number
}

export const STATE_FILE = 'state.sqlite'

/**
 * What the product knows beside readings: credentials, tokens, recipients, alarms and their history, corrections, the outbox,
 * refusals, and the cursors of the consumers that write them. One SQLite file (WAL) in the data directory or one schema of a
 * PostgreSQL database, used at once by the server's threads and the operator's command line.
 *
 * - On the file each open state has two connections. Credentials, tokens, recipients, acknowledgements, corrections and `redo` are *power-safe*
 *   (synchronous=FULL): on the disk when the promise resolves. What the consumers and the outbox's marks write is
 *   *kill-safe* (synchronous=NORMAL): it survives kill -9; a power cut may take back the last of it, whole transactions
 *   from the end, cursors included. The journal then replays the same transitions with the same ids and messages with the
 *   same keys. A power-safe commit also makes durable everything that was committed before it, by whichever connection:
 *   there is one write-ahead file, and it is synced up to there. So no acknowledgement outlives the alarm it was given for.
 * - On PostgreSQL every commit is on the disk when the promise resolves: the server may crash and this process go on.
 * - A transaction that writes waits up to 5 s for the others without blocking its thread; readers never wait.
 * - The statements are the same on both; file-dialect.ts knows SQLite, the files named server-*.ts know PostgreSQL.
 */
export class State {
  readonly credentials: Credentials
  readonly tokens: Tokens
  readonly recipients: Recipients
  readonly alarmLog: StateAlarmLog
  readonly alarms: Alarms
  readonly outbox: StateOutbox
  readonly refusals: Refusals
  readonly transitions: Transitions
  readonly journal: JournalTie
  readonly aggregates: StateAggregateLog
  readonly forwarding: Forwarding
  readonly ledgerBook: StateLedgerBook
  readonly ledger: LedgerPages
  readonly uptime: Uptime
  readonly law: LawBook
  readonly corrections: Corrections
  readonly #databases: Databases

  private constructor(databases: Databases, options: StateOptions) {
    const clock = options.clock ?? Date.now
    this.#databases = databases
    this.credentials = new Credentials(databases, clock)
    this.tokens = new Tokens(databases, clock)
    this.recipients = new Recipients(databases, clock)
    this.alarmLog = new StateAlarmLog(databases, clock, options.life)
    this.alarms = new Alarms(databases, clock, options.life)
    this.outbox = new StateOutbox(databases, clock)
    this.refusals = new Refusals(databases, options.maxRefusals)
    this.transitions = new Transitions(databases)
    this.journal = new JournalTie(databases)
    this.aggregates = new StateAggregateLog(databases)
    this.forwarding = new Forwarding(databases)
    this.ledgerBook = new StateLedgerBook(databases)
    this.ledger = new LedgerPages(databases)
    this.uptime = new Uptime(databases)
    this.law = new LawBook(databases, clock)
    this.corrections = new Corrections(databases, clock, options.maxOpenCorrections)
  }

  /**
   * Opens the file or the database, makes what is missing, and brings the schema up to date.
   * @throws StateError QT_DATA_DIR_UNWRITABLE, QT_STATE_…
   */
  static async open(options: StateOptions): Promise<State> {
    const { dataDir, url = null, owner = null } = options
    const databases = url === null ? openFile(ensureFile(dataDir, STATE_FILE)) : openServer(url, owner)
    const state = new State(databases, options)
    try {
      await migrate(databases.powerSafe, url === null ? 'file' : 'server')
      return state
    } catch (error) {
      await state.close()
      throw error
    }
  }

  /** Waits for transactions at hand. Safe to call twice. */
  async close(): Promise<void> {
    await this.#databases.killSafe.destroy()
    await this.#databases.powerSafe.destroy()
  }
}

function openFile(file: string): Databases {
  const open = (promise: 'power-safe' | 'kill-safe') => new Kysely<Tables>({ dialect: new FileDialect(file, promise) })
  return { powerSafe: open('power-safe'), killSafe: open('kill-safe') }
}

/** One pool for both promises: see decision 0009. */
function openServer(url: string, owner: string | null): Databases {
  const db = new Kysely<Tables>({ dialect: new ServerDialect(url, owner) })
  return { powerSafe: db, killSafe: db }
}
