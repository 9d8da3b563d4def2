import { parseArgs } from 'node:util'
import { z } from 'zod'
import { type BackendChoice, STATES, STORES } from './backends.js'
import { ProofError } from './errors.js'

/** Where the server kills itself, and how many passings of that point are about two seconds of load. */
export const POINTS = {
  'before-commit': 400,
  'after-commit-before-ack': 400,
  'after-store-before-cursor': 80,
  'after-outbox-before-send': 60,
  'after-send-before-mark': 60
} as const
export type Point = keyof typeof POINTS

export const HELP = `proof:kill: kills the server again and again and shows that nothing acknowledged is lost or stands twice

  --cycles N               10 kills
  --point NAME             where the server kills itself: ${Object.keys(POINTS).join(', ')}, or all in turn;
                           without it, SIGKILL at a random moment from outside
  --seconds-per-cycle S    2: the kill comes 0.3 s to S s after the load began
  --connections N          50 stations, half of them with QoS 1, half with QoS 2
  --window N               10 messages in flight on each
  --store influx           time series in a real InfluxDB 2, started for the proof (sqlite)
  --state postgres         state in a real PostgreSQL, started for the proof (sqlite)
  --kill NAME              server; or influx, postgres: that one is killed and started again while the server runs on
  --minutes N              limit for the whole proof; without it 5 and 20 s for each cycle
`

const Args = z.strictObject({
  cycles: z.coerce.number().int().min(1).max(10_000).default(10),
  point: z.enum([...(Object.keys(POINTS) as [Point, ...Point[]]), 'all']).optional(),
  'seconds-per-cycle': z.coerce.number().min(0.5).max(600).default(2),
  connections: z.coerce.number().int().min(2).max(500).default(50),
  window: z.coerce.number().int().min(1).max(100).default(10),
  store: z.enum(STORES).default('sqlite'),
  state: z.enum(STATES).default('sqlite'),
  kill: z.enum(['server', 'influx', 'postgres']).default('server'),
  minutes: z.coerce
    .number()
    .positive()
    .max(24 * 60)
    .optional(),
  help: z.boolean().default(false)
})

export interface ProofOptions extends BackendChoice {
  readonly help: boolean
  readonly cycles: number
  /** Each is proved on its own; `null` is the kill from outside. */
  readonly points: readonly (Point | null)[]
  readonly kill: 'server' | 'influx' | 'postgres'
  readonly longestMs: number
  readonly connections: number
  readonly window: number
  readonly limitMs: number
}

/** Throws ProofError with every problem in one message. */
export const parseProofOptions = (argv: readonly string[]): ProofOptions => toOptions(parseArguments(Args, argv))

/** The command line as `schema` says; `help` is a switch, all else has a value. Throws ProofError with every problem in one message. */
export function parseArguments<T extends z.ZodObject>(schema: T, argv: readonly string[]): z.output<T> {
  const text = { type: 'string' } as const
  const options = Object.fromEntries(Object.keys(schema.shape).map(name => [name, name === 'help' ? ({ type: 'boolean' } as const) : text]))
  let values: object
  try {
    values = parseArgs({ args: [...argv], options }).values
  } catch (error) {
    throw new ProofError('QT_PROOF_OPTIONS', error instanceof Error ? error.message : String(error))
  }
  const parsed = schema.safeParse(values)
  if (parsed.success) return parsed.data
  throw new ProofError('QT_PROOF_OPTIONS', parsed.error.issues.map(issue => `--${issue.path.join('.')}: ${issue.message}`).join('\n'))
}

function toOptions(args: z.infer<typeof Args>): ProofOptions {
  const { point, cycles, connections, window, help, store, state, kill } = args
  const points = point === 'all' ? (Object.keys(POINTS) as Point[]) : [point ?? null]
  const minutes = args.minutes ?? points.length * (5 + cycles / 3)
  const longestMs = args['seconds-per-cycle'] * 1_000
  return { help, cycles, points, longestMs, connections, window, store, state, kill, limitMs: minutes * 60_000 }
}
