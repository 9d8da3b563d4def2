import { randomInt } from 'node:crypto'
import { z } from 'zod'
import { type BackendChoice, STATES, STORES } from '../backends.js'
import { parseArguments } from '../options.js'

const SINKS = ['http', 'postgres'] as const
export type SinkName = (typeof SINKS)[number]

export const HELP = `proof:forward: kills the server and the warehouse at random and shows that the warehouse ends with what we have

  --minutes N        10: load and kills for so long (fractions too); both sides then have up to 4 minutes to agree
  --sink NAME        http: the receiver of simulators/warehouse; postgres: a real PostgreSQL; without it both, one after the other
  --stations N       8
  --seed N           makes the choices repeatable: what is sent, who is killed after how long; without it a new one, which is told
  --store influx     time series in a real InfluxDB 2, started for the proof (sqlite)
  --state postgres   state in a real PostgreSQL, started for the proof (sqlite)
`

const Args = z.strictObject({
  minutes: z.coerce
    .number()
    .positive()
    .max(24 * 60)
    .default(10),
  sink: z.enum(SINKS).optional(),
  stations: z.coerce.number().int().min(1).max(200).default(8),
  seed: z.coerce
    .number()
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .optional(),
  store: z.enum(STORES).default('sqlite'),
  state: z.enum(STATES).default('sqlite'),
  help: z.boolean().default(false)
})

export interface ForwardOptions extends BackendChoice {
  readonly help: boolean
  /** Proved one after the other. */
  readonly sinks: readonly SinkName[]
  readonly stations: number
  readonly seed: number
  /** How long the load and the kills last. */
  readonly disturbedMs: number
  /** How long both sides have to agree then. */
  readonly settleMs: number
  /** For all sinks together. */
  readonly limitMs: number
}

const MINUTE_MS = 60_000
const SETTLE_MS = 4 * MINUTE_MS
/** Starting, acknowledging what is under way, comparing. */
const BESIDE_MS = 8 * MINUTE_MS

/** @throws ProofError QT_PROOF_OPTIONS with every problem in one message */
export function parseForwardOptions(argv: readonly string[]): ForwardOptions {
  const { minutes, sink, seed, ...same } = parseArguments(Args, argv)
  const sinks = sink ? [sink] : SINKS
  const disturbedMs = minutes * MINUTE_MS
  const limitMs = sinks.length * (disturbedMs + SETTLE_MS + BESIDE_MS)
  return { ...same, sinks, seed: seed ?? randomInt(2 ** 32), disturbedMs, settleMs: SETTLE_MS, limitMs }
}
