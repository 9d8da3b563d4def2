import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { HttpWarehouse } from '#libs/adapters/warehouse-http'
import { PostgresWarehouse } from '#libs/adapters/warehouse-postgres'
import { messageOf } from '#libs/model'
import type { WarehouseSink } from '#libs/pipeline'
import type { Closers, Logger, WarehouseSettings } from '#libs/platform'
import { CodedError, TlsCertificates } from '#libs/platform'

/** Names a warehouse by its address alone, without user, password and options: those may change and it is the same. */
export function warehouseTarget({ url }: Pick<WarehouseSettings, 'url'>): string {
  const { protocol, host, pathname } = new URL(url)
  return createHash('sha256').update(`${protocol}//${host}${pathname}`).digest('hex').slice(0, 16)
}

/** Opens no connection. @throws CodedError QT_WAREHOUSE_CONFIG_INVALID, QT_TLS_… */
export async function openWarehouse(settings: WarehouseSettings, closers: Closers, log: Logger): Promise<WarehouseSink> {
  const { url, client, maxItems, maxBytes } = settings
  if (/^postgres(ql)?:/.test(url)) return new PostgresWarehouse({ url, maxItems })
  const tls = await clientTls(settings.tls, closers, log)
  return new HttpWarehouse({ url, maxItems, maxBytes, ...(client ? { client: credentials(client) } : {}) }, tls ? { tls } : {})
}

const credentials = ({ scope, ...client }: NonNullable<WarehouseSettings['client']>) => (scope === null ? client : { ...client, scope })

const SETTINGS = { cert: 'QUANTRAC_WAREHOUSE_TLS_CERT', key: 'QUANTRAC_WAREHOUSE_TLS_KEY', clientCa: 'QUANTRAC_WAREHOUSE_TLS_CA' }

/** A renewed client certificate is taken when its files change. */
async function clientTls({ cert, key, ca }: WarehouseSettings['tls'], closers: Closers, log: Logger) {
  if (cert !== null && key !== null) {
    return closers.add(
      'warehouse certificates',
      await TlsCertificates.open({ cert, key, clientCa: ca, settings: SETTINGS }, { log, now: Date.now })
    )
  }
  return ca === null ? null : { secureOptions: { ca: await authorities(ca) } }
}

async function authorities(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (error) {
    throw new CodedError('QT_TLS_UNREADABLE', `${SETTINGS.clientCa}: ${messageOf(error)}`, { cause: error })
  }
}
