import { z } from 'zod'

const Share = z.number().min(0).max(1)

/** How the warehouse misbehaves. Shares are of requests unless told otherwise: 0 never, 1 always. */
export const Faults = z.strictObject({
  /** Waits so long before it does anything. */
  slowMs: z.number().int().min(0).max(3_600_000).default(0),
  /** Share of items refused. */
  refuse: Share.default(0),
  /** Items of this station are always refused. */
  refuseStation: z.string().nullable().default(null),
  /** Stores, then closes the connection without an answer. */
  loseAnswer: Share.default(0),
  /** Closes the connection while the request comes in; nothing is stored. */
  cutRequest: Share.default(0),
  /** Stores, then closes the connection in the middle of the answer. */
  cutAnswer: Share.default(0),
  /** Share of items that are stored, and left out of the answer. */
  omit: Share.default(0),
  /** Share of items that are neither stored nor answered. */
  skip: Share.default(0),
  /** Answers 200 with a page that is no JSON, having stored. */
  babble: Share.default(0),
  error500: Share.default(0),
  /** 503 with Retry-After. */
  busy: Share.default(0),
  /** 429 with Retry-After. */
  throttle: Share.default(0),
  retryAfterSeconds: z.number().int().min(0).max(86_400).default(1),
  /** Lifetime of tokens. */
  tokenSeconds: z.number().int().min(1).max(86_400).default(3_600)
})
export type Faults = z.infer<typeof Faults>

/** `slowMs=200`, `loseAnswer=0.1`: as they are written on the command line. Anything but a number is text. */
export function parseFault(text: string): Record<string, unknown> {
  const [name = '', ...rest] = text.split('=')
  const value = rest.join('=')
  return { [name]: value !== '' && Number.isFinite(Number(value)) ? Number(value) : value }
}
