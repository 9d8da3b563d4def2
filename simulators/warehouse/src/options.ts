import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { messageOf } from '#libs/model'
import { Faults, parseFault } from './faults.js'
import type { WarehouseOptions } from './warehouse.js'

export const HELP = `warehouse: a receiver of the province's aggregates that can misbehave

  --port PORT              8090; 0 takes any free port
  --host HOST              127.0.0.1
  --admin-port PORT        8091, on loopback: rows, counts, faults
  --data-dir DIR           ./data/warehouse
  --client-id ID           quantrac; its secret comes from WAREHOUSE_CLIENT_SECRET or --client-secret-file
  --client-secret-file F   without a secret a client certificate is needed
  --tls-cert F --tls-key F HTTPS
  --client-ca F            authorities of client certificates (mutual TLS)
  --max-items N            1000
  --max-bytes N            4194304, unpacked
  --while-stdin            ends when its standard input ends: with the program that started it
  --fault NAME=VALUE       any number of them: slowMs=200, refuse=0.01, refuseStation=AG-017, loseAnswer=0.1, cutRequest=0.1,
                           cutAnswer=0.1, omit=0.1, skip=0.1, babble=0.1, error500=0.1, busy=0.1, throttle=0.1,
                           retryAfterSeconds=5, tokenSeconds=30
`

const port = (fallback: number) => z.coerce.number().int().min(0).max(65_535).default(fallback)
const Args = z.strictObject({
  port: port(8_090),
  host: z.string().min(1).default('127.0.0.1'),
  'admin-port': port(8_091),
  'data-dir': z.string().min(1).default('./data/warehouse'),
  'client-id': z.string().min(1).default('quantrac'),
  'client-secret-file': z.string().optional(),
  'tls-cert': z.string().optional(),
  'tls-key': z.string().optional(),
  'client-ca': z.string().optional(),
  'max-items': z.coerce.number().int().min(1).max(100_000).default(1_000),
  'max-bytes': z.coerce
    .number()
    .int()
    .min(1_024)
    .default(4 * 2 ** 20),
  fault: z.array(z.string()).default([]),
  'while-stdin': z.boolean().default(false),
  help: z.boolean().default(false)
})
type Args = z.infer<typeof Args>

export class OptionsError extends Error {}

/** Null when help was asked for. @throws OptionsError naming what is wrong */
export function readOptions(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>
): (WarehouseOptions & { readonly whileStdin: boolean }) | null {
  try {
    const args = Args.parse(parseArgs({ args: [...argv], options: definitions() }).values)
    return args.help ? null : { ...toOptions(args, environment), whileStdin: args['while-stdin'] }
  } catch (error) {
    if (error instanceof z.ZodError)
      throw new OptionsError(error.issues.map(issue => `${issue.path.join('.')}: ${issue.message}`).join('\n'))
    throw new OptionsError(messageOf(error))
  }
}

const SWITCHES: ReadonlySet<string> = new Set(['help', 'while-stdin'])

const definitions = () =>
  Object.fromEntries(
    Object.keys(Args.shape).map(name => [
      name,
      SWITCHES.has(name) ? { type: 'boolean' as const } : { type: 'string' as const, multiple: name === 'fault' }
    ])
  )

function toOptions(args: Args, { WAREHOUSE_CLIENT_SECRET: given }: Readonly<Record<string, string | undefined>>): WarehouseOptions {
  const secretFile = args['client-secret-file']
  const secret = secretFile ? readFileSync(secretFile, 'utf8').trim() : given
  const tls = tlsOf(args)
  if (!secret && !tls?.clientCa)
    throw new Error('give WAREHOUSE_CLIENT_SECRET, --client-secret-file or --client-ca: nobody may write here unasked')
  return {
    dataDir: args['data-dir'],
    host: args.host,
    port: args.port,
    adminPort: args['admin-port'],
    client: secret ? { id: args['client-id'], secret } : null,
    ...(tls ? { tls } : {}),
    faults: Faults.parse(Object.assign({}, ...args.fault.map(parseFault))),
    maxItems: args['max-items'],
    maxBytes: args['max-bytes']
  }
}

function tlsOf(args: Args) {
  const { 'tls-cert': cert, 'tls-key': key, 'client-ca': ca } = args
  if (!cert || !key) {
    if (cert || key || ca) throw new Error('--tls-cert and --tls-key go together, --client-ca needs both')
    return null
  }
  const read = (file: string) => readFileSync(file, 'utf8')
  return { cert: read(cert), key: read(key), ...(ca ? { clientCa: read(ca) } : {}) }
}
