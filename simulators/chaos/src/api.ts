import { z } from 'zod'
import { type Millis, parseInstant } from '#libs/model'
import { ProofError } from './errors.js'
import { Row } from './forwarding/rows.js'

const Instant = z.string().transform((text, context) => {
  const at = parseInstant(text)
  if (at === undefined) context.addIssue({ code: 'custom', message: 'no instant' })
  return at ?? z.NEVER
})
const Page = z.object({ items: z.array(z.unknown()), next: z.string().nullable() })
const Reading = z.object({ at: Instant, value: z.number() })
const Alarm = z.object({ id: z.string() })
const Aggregate = Row.extend({ provisional: z.boolean() })
const History = z.object({ history: z.array(z.object({ id: z.string(), kind: z.string() })) })
const Ready = z.object({ consumers: z.array(z.object({ lag: z.number() })) })

/** The server's HTTP interface as a reader with a token sees it. */
export class Api {
  readonly #url: string
  readonly #token: string

  constructor(url: string, token: string) {
    this.#url = url
    this.#token = token
  }

  /** Every reading of a series, ascending. */
  readings(station: string, parameter: string): AsyncGenerator<{ at: Millis; value: number }> {
    return this.#all(`/api/v1/series/${station}/${parameter}/readings?limit=1000`, Reading)
  }

  /** Every aggregate of a series, ascending; those that are not published yet are `provisional`. */
  aggregates(station: string, parameter: string, period: Row['period']): AsyncGenerator<Row & { provisional: boolean }> {
    return this.#all(`/api/v1/series/${station}/${parameter}/aggregates?period=${period}&limit=1000`, Aggregate)
  }

  /** Aggregates sent to the warehouse in this life of the server, by its answers. */
  async forwarded(): Promise<Readonly<Record<string, number>>> {
    const text = await (await this.#fetch('/metrics')).text()
    const lines = text.matchAll(/^quantrac_forwarded_total\{outcome="(\w+)"\} (\d+)$/gm)
    return Object.fromEntries([...lines].map(([, outcome = '', count]) => [outcome, Number(count)]))
  }

  /** Every transition of every alarm. */
  async transitions(): Promise<{ id: string; kind: string }[]> {
    const transitions: { id: string; kind: string }[] = []
    for await (const { id } of this.#all('/api/v1/alarms?limit=1000', Alarm)) {
      const { history } = await this.#get(`/api/v1/alarms/${encodeURIComponent(id)}`, History)
      transitions.push(...history)
    }
    return transitions
  }

  /** Journal records that some consumer has not read yet. */
  async lag(): Promise<number> {
    const { consumers } = await this.#get('/health/ready', Ready)
    return Math.max(0, ...consumers.map(consumer => consumer.lag))
  }

  async *#all<T extends z.ZodType>(path: string, item: T): AsyncGenerator<z.output<T>> {
    let after = ''
    do {
      const { items, next } = await this.#get(`${path}${after}`, Page)
      for (const each of items) yield understood(item, each, path)
      after = next === null ? '' : `&after=${encodeURIComponent(next)}`
    } while (after !== '')
  }

  async #get<T extends z.ZodType>(path: string, schema: T): Promise<z.output<T>> {
    return understood(schema, await (await this.#fetch(path)).json(), path)
  }

  async #fetch(path: string): Promise<Response> {
    const response = await fetch(`${this.#url}${path}`, { headers: { authorization: `Bearer ${this.#token}` } })
    if (!response.ok) throw new ProofError('QT_PROOF_ANSWER', `GET ${path}: ${response.status} ${await response.text()}`)
    return response
  }
}

function understood<T extends z.ZodType>(schema: T, answer: unknown, path: string): z.output<T> {
  const parsed = schema.safeParse(answer)
  if (!parsed.success) throw new ProofError('QT_PROOF_ANSWER', `GET ${path}: ${parsed.error.issues[0]?.message ?? 'unexpected answer'}`)
  return parsed.data
}
