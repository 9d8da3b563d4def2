import { type Millis, STATION_CODE } from '#libs/model'
import type { Clock } from '#libs/pipeline'
import { StateError } from './errors.js'
import type { MinimumSeverity } from './fan-out.js'
import type { Databases, Tables } from './schema.js'
import { newId, newSecret } from './secrets.js'
import { inTransaction } from './transaction.js'

export type RecipientChannel = 'webhook' | 'email'
export type Language = 'vi' | 'en'

export interface NewRecipient {
  readonly channel: RecipientChannel
  /** A URL for a webhook, an address for e-mail. */
  readonly target: string
  /** Null: both languages in one message. A webhook always carries both. */
  readonly language: Language | null
  /** Milder alarms are not sent. A station's silence is sent to everybody: it may hide anything. */
  readonly minimumSeverity: MinimumSeverity
  /** Null: all of them. */
  readonly stations: readonly string[] | null
}

export interface Recipient extends NewRecipient {
  readonly id: string
  readonly createdAt: Millis
}

export interface AddedRecipient {
  readonly recipient: Recipient
  /** The key that signs a webhook's messages; shown now and never again. Null for e-mail. */
  readonly secret: string | null
}

const SECRET_PREFIX = 'qtw_'
const URL_CHARACTERS = 2_048
const ADDRESS_CHARACTERS = 254 // RFC 5321, 4.5.3.1.3, without the angle brackets
const MAX_STATIONS = 1_000
/** The dot-atom form of RFC 5322 3.4.1 at a host name: no quotes, no comments, no lists, nothing that could break a header. */
const ADDRESS = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/

/** Who is told of alarms, and how. The same target can be there once in a channel. */
export class Recipients {
  readonly #databases: Databases
  readonly #clock: Clock

  constructor(databases: Databases, clock: Clock) {
    this.#databases = databases
    this.#clock = clock
  }

  /** @throws StateError QT_RECIPIENT_INVALID, QT_RECIPIENT_EXISTS */
  async add(recipient: NewRecipient): Promise<AddedRecipient> {
    const row: Tables['recipients'] = {
      id: newId(),
      channel: recipient.channel,
      target: checkTarget(recipient.channel, recipient.target),
      language: recipient.language,
      minimum_severity: recipient.minimumSeverity,
      stations: checkStations(recipient.stations),
      secret: recipient.channel === 'webhook' ? `${SECRET_PREFIX}${newSecret()}` : null,
      created_at: this.#clock()
    }
    const { numInsertedOrUpdatedRows } = await this.#databases.powerSafe
      .insertInto('recipients')
      .values(row)
      .onConflict(on => on.columns(['channel', 'target']).doNothing())
      .executeTakeFirstOrThrow()
    if (!numInsertedOrUpdatedRows) throw new StateError('QT_RECIPIENT_EXISTS', 'this target is a recipient already; remove that one first')
    return { recipient: toRecipient(row), secret: row.secret }
  }

  /** Without secrets, oldest first. */
  async list(): Promise<Recipient[]> {
    const rows = await this.#databases.powerSafe.selectFrom('recipients').selectAll().orderBy('created_at').orderBy('id').execute()
    return rows.map(toRecipient)
  }

  async find(channel: RecipientChannel, target: string): Promise<Recipient | null> {
    const row = await this.#row(channel, target)
    return row ? toRecipient(row) : null
  }

  /** The key that signs the messages to a webhook; null when it is no recipient (any more). */
  async signingSecret(target: string): Promise<string | null> {
    return (await this.#row('webhook', target))?.secret ?? null
  }

  /** Removes the recipient; what still waits for it is given up, visibly. False when there was none. */
  remove(id: string): Promise<boolean> {
    return inTransaction(this.#databases.powerSafe, async trx => {
      const row = await trx.deleteFrom('recipients').where('id', '=', id).returning(['channel', 'target']).executeTakeFirst()
      if (!row) return false
      await trx
        .updateTable('outbox')
        .set({ state: 'failed', finished_at: this.#clock(), reason: 'the recipient was removed' })
        .where('state', '=', 'pending')
        .where('target', '=', row.target)
        .where('channel', '=', row.channel)
        .execute()
      return true
    })
  }

  #row(channel: RecipientChannel, target: string): Promise<Tables['recipients'] | undefined> {
    return this.#databases.powerSafe
      .selectFrom('recipients')
      .selectAll()
      .where('channel', '=', channel)
      .where('target', '=', target)
      .executeTakeFirst()
  }
}

function checkTarget(channel: RecipientChannel, target: string): string {
  return channel === 'webhook' ? checkUrl(target) : checkAddress(target)
}

function checkUrl(target: string): string {
  const url = URL.canParse(target) ? new URL(target) : null
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) throw invalid('a webhook is an http or https URL')
  if (url.username !== '' || url.password !== '') throw invalid('a webhook URL holds no user name or password; messages are signed instead')
  if (url.hash !== '') throw invalid('a webhook URL has no fragment (#…)')
  if (url.href.length > URL_CHARACTERS) throw invalid(`a webhook URL has at most ${URL_CHARACTERS} characters`)
  return url.href
}

function checkAddress(target: string): string {
  if (target.length > ADDRESS_CHARACTERS || !ADDRESS.test(target)) throw invalid('not one plain mail address (name@host)')
  const at = target.lastIndexOf('@')
  return target.slice(0, at) + target.slice(at).toLowerCase()
}

function checkStations(stations: readonly string[] | null): string | null {
  if (stations === null) return null
  if (stations.length === 0 || stations.length > MAX_STATIONS) throw invalid(`name 1 to ${MAX_STATIONS} stations, or none for all`)
  const wrong = stations.find(code => !STATION_CODE.test(code))
  if (wrong !== undefined) throw invalid(`no station code: ${JSON.stringify(wrong)}`)
  return JSON.stringify([...new Set(stations)].sort())
}

const invalid = (message: string): StateError => new StateError('QT_RECIPIENT_INVALID', message)

const toRecipient = (row: Tables['recipients']): Recipient => ({
  id: row.id,
  channel: row.channel as RecipientChannel,
  target: row.target,
  language: row.language as Language | null,
  minimumSeverity: row.minimum_severity as MinimumSeverity,
  stations: row.stations === null ? null : (JSON.parse(row.stations) as string[]),
  createdAt: row.created_at
})
