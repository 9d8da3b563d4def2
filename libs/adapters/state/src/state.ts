import { Kysely } from 'kysely'
import type { Clock } from '#libs/pipeline'
import { StateAlarmLog } from './alarm-log.js'
import { Alarms } from './alarms.js'
import { Credentials } from './credentials.js'
import { ensureFile } from './data-dir.js'
import { FileDialect } from './dialect.js'
import type { AlarmLife } from './life.js'
import { migrate } from './migrations.js'
import { StateOutbox } from './outbox.js'
import { Recipients } from './recipients.js'
import { Refusals } from './refusals.js'
import type { Databases, Tables } from './schema.js'
import { Tokens } from './tokens.js'
import { Transitions } from './transitions.js'

export interface StateOptions {
  readonly dataDir: string
  /** `{ mergeAlarm, acknowledge }` of the alarm library. */
  readonly life: AlarmLife
  readonly clock?: Clock
  /** Rows that the list of refusals holds at most; 100,000 unless told. */
  readonly maxRefusals?: number
}

export const STATE_FILE = 'state.sqlite'

/**
 * What the product knows beside readings: credentials, tokens, recipients, alarms and their history, the outbox, refusals,
 * and the cursors of the consumers that write them. One SQLite file (WAL) in the data directory, used at once by the
 * server's threads and the operator's command line.
 *
 * - Each open state has two connections. Credentials, tokens, recipients, acknowledgements and `redo` are *power-safe*
 *   (synchronous=FULL): on the disk when the promise resolves. What the consumers and the outbox's marks write is
 *   *kill-safe* (synchronous=NORMAL): it survives kill -9; a power cut may take back the last of it, whole transactions
 *   from the end, cursors included. The journal then replays the same transitions with the same ids and messages with the
 *   same keys. A power-safe commit also makes durable everything that was committed before it, by whichever connection:
 *   there is one write-ahead file, and it is synced up to there. So no acknowledgement outlives the alarm it was given for.
 * - Every write is one IMMEDIATE transaction. It waits up to 5 s for other writers without blocking its thread; readers
 *   never wait.
 * - Only dialect.ts knows SQLite.
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
  }

  /**
   * Opens the file, makes it where it is missing, and brings its schema up to date.
   * @throws StateError QT_DATA_DIR_UNWRITABLE, QT_STATE_NEWER, QT_STATE_CORRUPT, QT_STATE_BUSY, QT_STATE_FULL, QT_STATE_FAILED
   */
  static async open(options: StateOptions): Promise<State> {
    const file = ensureFile(options.dataDir, STATE_FILE)
    const databases: Databases = {
      powerSafe: new Kysely<Tables>({ dialect: new FileDialect(file, 'power-safe') }),
      killSafe: new Kysely<Tables>({ dialect: new FileDialect(file, 'kill-safe') })
    }
    const state = new State(databases, options)
    try {
      await migrate(databases.powerSafe)
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
