import { parseArgs } from 'node:util'
import { z } from 'zod'
import { LoadError } from './errors.js'
import type { LoadClient, LoadOptions } from './load.js'
import { MOST_PARAMETERS } from './shapes.js'

export const HELP = `mqtt-benchmark-ts: puts load on an MQTT 3.1.1 broker and measures its acknowledgements

  --host HOST            127.0.0.1
  --port PORT            1883
  --connections N        100
  --qos 0|1|2            1
  --window N             10: every connection keeps up to N messages in flight
  --rate N               instead: N messages a second altogether, evenly spaced, latency from the intended moment
  --seconds N            20, measured after
  --warmup N             3
  --payload P            quantrac (readings, about 200 bytes with 4 parameters) | size:BYTES
  --params N             4, of a quantrac payload (1 to ${MOST_PARAMETERS})
  --topic TOPIC          quantrac/v1/{station}/readings
  --station-prefix P     BENCH-: stations P0001, P0002 …, no user name
  --users FILE           instead: one {"code":"…","secret":"…"} a line; - reads standard input
  --persistent           clean session off
  --json                 one JSON line instead of a table
`

const Args = z.strictObject({
  host: z.string().min(1).default('127.0.0.1'),
  port: z.coerce.number().int().min(1).max(65_535).default(1883),
  connections: z.coerce.number().int().min(1).max(20_000).default(100),
  qos: z.coerce
    .number()
    .pipe(z.union([z.literal(0), z.literal(1), z.literal(2)]))
    .default(1),
  window: z.coerce.number().int().min(1).max(10_000).optional(),
  rate: z.coerce.number().positive().max(1_000_000).optional(),
  seconds: z.coerce.number().positive().max(86_400).default(20),
  warmup: z.coerce.number().min(0).max(3_600).default(3),
  payload: z
    .string()
    .regex(/^(quantrac|size:\d{1,8})$/, 'quantrac or size:BYTES')
    .default('quantrac'),
  params: z.coerce.number().int().min(1).max(MOST_PARAMETERS).default(4),
  topic: z.string().min(1).default('quantrac/v1/{station}/readings'),
  'station-prefix': z.string().min(1).default('BENCH-'),
  users: z.string().optional(),
  persistent: z.boolean().default(false),
  json: z.boolean().default(false),
  help: z.boolean().default(false)
})
export type Arguments = z.infer<typeof Args>

const text = { type: 'string' } as const
const flag = { type: 'boolean' } as const

/** Throws LoadError with every problem in one message. */
export function parseArguments(argv: readonly string[]): Arguments {
  const options = Object.fromEntries(
    Object.keys(Args.shape).map(name => [name, ['persistent', 'json', 'help'].includes(name) ? flag : text])
  )
  let values: object
  try {
    values = parseArgs({ args: [...argv], options }).values
  } catch (error) {
    throw new LoadError('QT_LOAD_OPTIONS', error instanceof Error ? error.message : String(error))
  }
  const parsed = Args.safeParse(values)
  const problems = parsed.success ? [] : parsed.error.issues.map(issue => `--${issue.path.join('.')}: ${issue.message}`)
  if ('window' in values && 'rate' in values) problems.push('--window and --rate exclude each other')
  if (!parsed.success || problems.length > 0) throw new LoadError('QT_LOAD_OPTIONS', problems.join('\n'))
  return parsed.data
}

const User = z.object({ code: z.string().min(1), secret: z.string() })

/** Clients from lines of {"code", "secret"}; blank lines are passed over. Throws LoadError, which never quotes a line: it may hold a secret. */
export function clientsFromUsers(lines: string): LoadClient[] {
  const problems: string[] = []
  const clients = lines.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return []
    const user = User.safeParse(parseJson(line))
    if (user.success)
      return [{ clientId: `bench-${user.data.code}`, station: user.data.code, username: user.data.code, password: user.data.secret }]
    problems.push(`line ${index + 1} of the users is not {"code":"…","secret":"…"}`)
    return []
  })
  if (problems.length > 0) throw new LoadError('QT_LOAD_OPTIONS', problems.join('\n'))
  return clients
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

export const anonymousClients = (count: number, prefix: string): LoadClient[] =>
  Array.from({ length: count }, (_, index) => {
    const station = `${prefix}${String(index + 1).padStart(4, '0')}`
    return { clientId: `bench-${station}`, station }
  })

/** A closed loop may reach this many messages a second; where that is more than 1,000 a station, `at` begins an hour back. */
const FAST = 50_000

/** The run that the arguments describe, for these clients. Throws LoadError when there are fewer clients than connections. */
export function loadOptions(args: Arguments, clients: readonly LoadClient[]): LoadOptions {
  if (clients.length < args.connections) {
    throw new LoadError('QT_LOAD_OPTIONS', `--connections ${args.connections} needs as many users; there are ${clients.length}`)
  }
  const perStation = (args.rate ?? FAST) / args.connections
  return {
    host: args.host,
    port: args.port,
    clients: clients.slice(0, args.connections),
    qos: args.qos,
    pace: args.rate === undefined ? { window: args.window ?? 10 } : { rate: args.rate },
    seconds: args.seconds,
    warmupSeconds: args.warmup,
    payload: args.payload === 'quantrac' ? 'quantrac' : { bytes: Number(args.payload.slice('size:'.length)) },
    parameters: args.params,
    topic: args.topic,
    clean: !args.persistent,
    atLagMs: perStation < 1_000 ? 0 : 3_600_000
  }
}
