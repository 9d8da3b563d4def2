import { parseArgs } from 'node:util'
import { z } from 'zod'
import { ProofError } from '../errors.js'

export const HELP = `proof:forward: kills the server and the warehouse at random and shows that the warehouse ends with what we have

  --minutes N     10: how long everything is disturbed; a fraction is taken too
  --sink NAME     http: the receiver of simulators/warehouse; postgres: a real PostgreSQL; without it both, one after the other
  --stations N    8
  --seed N        makes the choices repeatable
`

const SINKS = ['http', 'postgres'] as const
export type SinkName = (typeof SINKS)[number]

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
  help: z.boolean().default(false)
})

export interface ForwardOptions {
  readonly help: boolean
  readonly disturbedMs: number
  readonly sinks: readonly SinkName[]
  readonly stations: number
  readonly seed: number
}

/** @throws ProofError QT_PROOF_OPTIONS with every problem in one message */
export function parseForwardOptions(argv: readonly string[], random = Math.random): ForwardOptions {
  const text = { type: 'string' } as const
  const options = Object.fromEntries(Object.keys(Args.shape).map(name => [name, name === 'help' ? ({ type: 'boolean' } as const) : text]))
  try {
    const { minutes, sink, stations, seed, help } = Args.parse(parseArgs({ args: [...argv], options }).values)
    return { help, disturbedMs: minutes * 60_000, sinks: sink ? [sink] : SINKS, stations, seed: seed ?? Math.floor(random() * 2 ** 32) }
  } catch (error) {
    const told =
      error instanceof z.ZodError ? error.issues.map(issue => `--${issue.path.join('.')}: ${issue.message}`).join('\n') : String(error)
    throw new ProofError('QT_PROOF_OPTIONS', told)
  }
}
