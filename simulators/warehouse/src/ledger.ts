import { createHash } from 'node:crypto'

/** Idempotency keys that are remembered. */
const KEYS = 10_000

/** Counts what came, and what was against the contract. */
export class Ledger {
  requests = 0
  tokens = 0
  batches = 0
  repeatedBatches = 0
  /** An Idempotency-Key that came with other items than before. */
  violations = 0
  readonly #outcomes = { accepted: 0, known: 0, rejected: 0 }
  readonly #contents = new Map<string, string>()

  noteBatch(idempotencyKey: string, keys: readonly string[]): void {
    const content = createHash('sha256').update(keys.join('\n')).digest('base64')
    const before = this.#contents.get(idempotencyKey)
    this.batches += 1
    if (before === content) this.repeatedBatches += 1
    else if (before !== undefined) this.violations += 1
    this.#contents.set(idempotencyKey, content)
    const [oldest] = this.#contents.keys()
    if (this.#contents.size > KEYS && oldest !== undefined) this.#contents.delete(oldest)
  }

  noteAnswers(answers: readonly { readonly outcome: 'accepted' | 'known' | 'rejected' }[]): void {
    for (const { outcome } of answers) this.#outcomes[outcome] += 1
  }

  toJSON() {
    const { requests, tokens, batches, repeatedBatches, violations } = this
    return { requests, tokens, batches, repeatedBatches, violations, ...this.#outcomes }
  }
}
