import { z } from 'zod'
import { SECOND } from '#libs/model'
import { CodedError, isLoopback } from '#libs/platform'

const ENCRYPTED = new Set(['require', 'verify-ca', 'verify-full', 'no-verify'])

const WarehousePostgresConfig = z
  .strictObject({
    /** `postgres://user:password@host:port/database?sslmode=verify-full` */
    url: z.url({ protocol: /^postgres(ql)?$/ }),
    /** The most rows of one statement. */
    maxItems: z.number().int().min(1).max(100_000).default(1_000),
    timeoutMs: z
      .number()
      .int()
      .min(1)
      .max(600 * SECOND)
      .default(30 * SECOND),
    /** Where figures and the password may go unencrypted. */
    plain: z.enum(['loopback', 'anywhere']).default('loopback')
  })
  .superRefine(({ url, plain }, context) => {
    if (plain === 'anywhere' || !isExposed(url)) return
    const message = 'needs sslmode=verify-full: beyond this machine anybody on the way could read it'
    context.addIssue({ code: 'custom', path: ['url'], message })
  })
  .readonly()
export type WarehousePostgresConfig = z.infer<typeof WarehousePostgresConfig>
export type WarehousePostgresSettings = z.input<typeof WarehousePostgresConfig>

function isExposed(text: string): boolean {
  if (!URL.canParse(text)) return false // is refused for that already
  const { hostname, searchParams } = new URL(text)
  const host = searchParams.get('host') ?? (hostname.replace(/^\[(.*)\]$/, '$1') || 'localhost')
  return !host.startsWith('/') && !isLoopback(host) && !ENCRYPTED.has(searchParams.get('sslmode') ?? '')
}

/** @throws CodedError QT_WAREHOUSE_CONFIG_INVALID naming every problem, and never a value */
export function parseWarehousePostgres(settings: WarehousePostgresSettings): WarehousePostgresConfig {
  const { success, data, error } = WarehousePostgresConfig.safeParse(settings)
  if (success) return data
  const problems = error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw new CodedError('QT_WAREHOUSE_CONFIG_INVALID', `the warehouse cannot be used: ${problems.join('; ')}`)
}
