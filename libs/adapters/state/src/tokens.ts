import type { Millis } from '#libs/model'
import type { Clock, TokenRole } from '#libs/pipeline'
import { StateError } from './errors.js'
import type { Databases } from './schema.js'
import { hashSecret, newSecret } from './secrets.js'

export interface ApiToken {
  readonly name: string
  readonly role: TokenRole
  readonly createdAt: Millis
}

/** Lets a secret scanner and a reader see what a leaked string is. */
const TOKEN_PREFIX = 'qt_'
const TOKEN = /^qt_[a-z2-7]{32}$/
const NAME = /^[\w.@-]{1,64}$/

/** API tokens of programs, as SHA-256 only: the text is seen once. */
export class Tokens {
  readonly #databases: Databases
  readonly #clock: Clock

  constructor(databases: Databases, clock: Clock) {
    this.#databases = databases
    this.#clock = clock
  }

  /** Makes a token and returns its text, which nobody can read again. @throws StateError QT_TOKEN_EXISTS, QT_TOKEN_INVALID */
  async add(name: string, role: TokenRole): Promise<string> {
    if (!NAME.test(name)) throw new StateError('QT_TOKEN_INVALID', 'a token name has 1 to 64 letters, digits or . @ _ -')
    const text = `${TOKEN_PREFIX}${newSecret()}`
    const { numInsertedOrUpdatedRows } = await this.#databases.powerSafe
      .insertInto('tokens')
      .values({ name, role, sha256: hashSecret(text), created_at: this.#clock() })
      .onConflict(on => on.column('name').doNothing())
      .executeTakeFirstOrThrow()
    if (!numInsertedOrUpdatedRows) throw new StateError('QT_TOKEN_EXISTS', `there is a token named ${name}; remove it first`)
    return text
  }

  /** Who the token speaks for, or null. Found by its hash, so the time of the answer says nothing about the text. */
  async find(plaintext: string): Promise<{ readonly name: string; readonly role: TokenRole } | null> {
    if (!TOKEN.test(plaintext)) return null
    const row = await this.#databases.powerSafe
      .selectFrom('tokens')
      .select(['name', 'role'])
      .where('sha256', '=', hashSecret(plaintext))
      .executeTakeFirst()
    return row ? { name: row.name, role: row.role as TokenRole } : null
  }

  async list(): Promise<ApiToken[]> {
    const rows = await this.#databases.powerSafe.selectFrom('tokens').select(['name', 'role', 'created_at']).orderBy('name').execute()
    return rows.map(row => ({ name: row.name, role: row.role as TokenRole, createdAt: row.created_at }))
  }

  /** False when there was none. */
  async remove(name: string): Promise<boolean> {
    const { numDeletedRows } = await this.#databases.powerSafe.deleteFrom('tokens').where('name', '=', name).executeTakeFirst()
    return numDeletedRows > 0n
  }
}
