import type { ItemAnswer } from '#libs/pipeline'
import type { Item } from './batch.js'
import { oneLine } from './refusal.js'

type Fields = Readonly<Record<string, unknown>>

/** One answer for each item, by its key; what the answer leaves out or says in words of its own is to be sent again. Null: it is no answer at all. */
export function readAnswers(body: string, items: readonly Item[]): ItemAnswer[] | null {
  const list = listIn(body)
  if (!list) return null
  const byKey = new Map(list.map(entry => [entry['key'], entry]))
  return items.map(item => readAnswer(byKey.get(item.key), item))
}

function listIn(body: string): Fields[] | null {
  const { items } = parse(body)
  return Array.isArray(items) ? items.filter((entry): entry is Fields => typeof entry === 'object' && entry !== null) : null
}

function readAnswer(entry: Fields | undefined, { revision }: Item): ItemAnswer {
  if (!entry) return { outcome: 'retry', reason: 'the answer leaves this item out' }
  const { outcome, reason, revision: held } = entry
  if (outcome === 'accepted') return { outcome }
  if (outcome === 'known') return { outcome, revision: Number.isSafeInteger(held) ? Math.max(Number(held), revision) : revision }
  if (outcome === 'rejected') return { outcome, reason: (typeof reason === 'string' && oneLine(reason)) || 'no reason given' }
  return { outcome: 'retry', reason: `the answer says neither accepted, known nor rejected: ${oneLine(String(outcome))}` }
}

/** An object of the answer's fields; empty for what is no JSON object. */
export function parse(body: string): Fields {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? (value as Fields) : {}
  } catch {
    return {}
  }
}
