import { z } from 'zod'
import { SECOND } from '#libs/model'
import { CodedError, isLoopback } from '#libs/platform'

const Url = z.url({ protocol: /^https?$/ }).refine(text => !hasExtras(text), 'no user name, password, ? or #')

/** The warehouse's address and how this server is known there. */
const WarehouseHttpConfig = z
  .strictObject({
    /** What stands before `/v1/aggregates`. */
    url: Url,
    /** OAuth 2 client credentials (RFC 6749, 4.4); missing where a client certificate is enough. */
    client: z
      .strictObject({
        tokenUrl: Url,
        id: z.string().min(1).max(256),
        secret: z.string().min(1).max(4_096),
        scope: z.string().min(1).max(256).optional()
      })
      .optional(),
    /** The most items of one request, and the most bytes before they are packed. */
    maxItems: z.number().int().min(1).max(100_000).default(1_000),
    maxBytes: z
      .number()
      .int()
      .min(4_096)
      .max(64 * 2 ** 20)
      .default(2 ** 20),
    timeoutMs: z
      .number()
      .int()
      .min(1)
      .max(600 * SECOND)
      .default(30 * SECOND),
    /** Where figures and tokens may go unencrypted. */
    plainHttp: z.enum(['loopback', 'anywhere']).default('loopback')
  })
  .superRefine(({ url, client, plainHttp }, context) => {
    for (const [name, address] of Object.entries({ url, 'client.tokenUrl': client?.tokenUrl })) {
      if (address && plainHttp === 'loopback' && isExposed(address)) {
        context.addIssue({ code: 'custom', path: [name], message: 'must be https: beyond this machine anybody on the way could read it' })
      }
    }
  })
  .readonly()
export type WarehouseHttpConfig = z.infer<typeof WarehouseHttpConfig>
export type WarehouseHttpSettings = z.input<typeof WarehouseHttpConfig>

function hasExtras(text: string): boolean {
  if (!URL.canParse(text)) return false // is refused for that already
  const { username, password, search, hash } = new URL(text)
  return `${username}${password}${search}${hash}` !== ''
}

function isExposed(address: string): boolean {
  if (!URL.canParse(address)) return false
  const { protocol, hostname } = new URL(address)
  return protocol === 'http:' && !isLoopback(hostname.replace(/^\[(.*)\]$/, '$1'))
}

/** @throws CodedError QT_WAREHOUSE_CONFIG_INVALID naming every problem, and never a value */
export function parseWarehouseHttp(settings: WarehouseHttpSettings, hasCertificate: boolean): WarehouseHttpConfig {
  const { success, data, error } = WarehouseHttpConfig.safeParse(settings)
  const problems = success ? [] : error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  if (success && !data.client && !hasCertificate) problems.push('client: needed where there is no client certificate')
  if (!success || problems.length > 0) {
    throw new CodedError('QT_WAREHOUSE_CONFIG_INVALID', `the warehouse cannot be used: ${problems.join('; ')}`)
  }
  return data
}
