import { timingSafeEqual } from 'node:crypto'
import { type Millis, STATION_CODE } from '#libs/model'
import type { Clock } from '#libs/pipeline'
import { StateError } from './errors.js'
import type { Databases } from './schema.js'

export interface Credential {
  readonly station: string
  /** Tells a station's secrets apart: the one in use, the next one, a technician's. */
  readonly label: string
  readonly createdAt: Millis
}

const SHA256_HEX = /^[0-9a-f]{64}$/
const LABEL = /^[\w.@ -]{1,64}$/
const NO_HASH = Buffer.alloc(32)

/** The stations' secrets, as SHA-256 only. A station may have several, so that one can be changed without a gap. */
export class Credentials {
  readonly #databases: Databases
  readonly #clock: Clock

  constructor(databases: Databases, clock: Clock) {
    this.#databases = databases
    this.#clock = clock
  }

  /** Replaces the secret of that label. @throws StateError QT_CREDENTIAL_INVALID */
  async set(station: string, label: string, sha256Hex: string): Promise<void> {
    if (!STATION_CODE.test(station)) throw new StateError('QT_CREDENTIAL_INVALID', `no station code: ${JSON.stringify(station)}`)
    if (!LABEL.test(label)) throw new StateError('QT_CREDENTIAL_INVALID', 'a label has 1 to 64 letters, digits, spaces or . @ _ -')
    if (!SHA256_HEX.test(sha256Hex)) throw new StateError('QT_CREDENTIAL_INVALID', 'a hash has 64 small hexadecimal digits')
    const row = { sha256: sha256Hex, created_at: this.#clock() }
    await this.#databases.powerSafe
      .insertInto('credentials')
      .values({ station, label, ...row })
      .onConflict(on => on.columns(['station', 'label']).doUpdateSet(row))
      .execute()
  }

  /**
   * The credential with that hash, or null. Looks at all hashes of the station in constant time each, and at one that
   * fits nothing for a station without any, so that the answer's time tells neither.
   */
  async find(station: string, sha256Hex: string): Promise<Credential | null> {
    if (!SHA256_HEX.test(sha256Hex)) return null
    const rows = await this.#databases.powerSafe.selectFrom('credentials').selectAll().where('station', '=', station).execute()
    const given = Buffer.from(sha256Hex, 'hex')
    if (rows.length === 0) timingSafeEqual(given, NO_HASH)
    let found: Credential | null = null
    for (const row of rows) {
      if (timingSafeEqual(given, Buffer.from(row.sha256, 'hex'))) found = toCredential(row)
    }
    return found
  }

  /** Without the hashes; by station, then label. */
  async list(station?: string): Promise<Credential[]> {
    let query = this.#databases.powerSafe.selectFrom('credentials').select(['station', 'label', 'created_at'])
    if (station !== undefined) query = query.where('station', '=', station)
    const rows = await query.orderBy('station').orderBy('label').execute()
    return rows.map(toCredential)
  }

  /** False when there was none. */
  async remove(station: string, label: string): Promise<boolean> {
    const { numDeletedRows } = await this.#databases.powerSafe
      .deleteFrom('credentials')
      .where('station', '=', station)
      .where('label', '=', label)
      .executeTakeFirst()
    return numDeletedRows > 0n
  }
}

const toCredential = (row: { station: string; label: string; created_at: number }): Credential => ({
  station: row.station,
  label: row.label,
  createdAt: row.created_at
})
