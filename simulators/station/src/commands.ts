import { z } from 'zod'
import { formatInstant, type Millis } from '#libs/model'

const Command = z.object({ command: z.string(), id: z.string().min(1).max(200) })

/** Answers kept so that a command which comes twice is done once. */
const REMEMBERED = 100

/**
 * What a device does when it is told something. A command that comes again (QoS 1 may repeat it) gets its first answer
 * again and is not done twice: the sampler has twelve bottles.
 */
export class Commands {
  readonly #answers = new Map<string, string>()
  #bottle = 0

  /** The reply's payload. */
  answer(payload: string, now: Millis): string {
    const command = Command.safeParse(parseJson(payload))
    if (!command.success) return JSON.stringify({ result: 'malformed', at: formatInstant(now) })
    const { id } = command.data
    const known = this.#answers.get(id)
    if (known !== undefined) return known
    const answer = JSON.stringify({ ...command.data, ...this.#carryOut(command.data.command), at: formatInstant(now) })
    this.#remember(id, answer)
    return answer
  }

  #carryOut(command: string): object {
    if (command === 'take-sample') {
      this.#bottle = (this.#bottle % 12) + 1
      return { result: 'done', bottle: this.#bottle }
    }
    return command === 'ping' ? { result: 'done' } : { result: 'unknown-command' }
  }

  #remember(id: string, answer: string): void {
    this.#answers.set(id, answer)
    const [oldest] = this.#answers.keys()
    if (this.#answers.size > REMEMBERED && oldest !== undefined) this.#answers.delete(oldest)
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
