import { mkdirSync } from 'node:fs'
import { AdminServer } from './admin-server.js'
import { ContractServer, type Tls } from './contract-server.js'
import type { Faults } from './faults.js'
import { WarehouseStore } from './store.js'
import { type Client, Tokens } from './tokens.js'

export interface WarehouseOptions {
  readonly dataDir: string
  readonly host: string
  readonly port: number
  readonly adminPort: number
  /** Null: a client certificate is enough. */
  readonly client: Client | null
  readonly tls?: Tls
  readonly faults: Faults
  readonly maxItems: number
  readonly maxBytes: number
}

/** The receiver as a whole: store, contract, and the wires behind the stage. */
export class Warehouse {
  readonly url: string
  readonly adminUrl: string
  readonly #close: () => Promise<void>

  private constructor(contract: ContractServer, admin: AdminServer, store: WarehouseStore) {
    this.url = contract.url
    this.adminUrl = admin.url
    this.#close = async () => {
      await admin.close()
      await contract.close()
      store.close()
    }
  }

  static async open(options: WarehouseOptions): Promise<Warehouse> {
    mkdirSync(options.dataDir, { recursive: true })
    const store = new WarehouseStore(options.dataDir)
    const faults = { current: options.faults }
    const tokens = options.client ? new Tokens(options.client, Date.now) : null
    const { host, port, tls, maxItems, maxBytes } = options
    const secure = tls ? { tls } : {}
    const contract = await ContractServer.listen({
      ...{ store, tokens, host, port, maxItems, maxBytes, random: Math.random },
      ...secure,
      faults: () => faults.current
    })
    const expireTokens = () => tokens?.expire()
    const admin = await AdminServer.listen({ port: options.adminPort, store, contract, faults, expireTokens })
    return new Warehouse(contract, admin, store)
  }

  close(): Promise<void> {
    return this.#close()
  }
}
