import type { Refusal } from './refusal.js'
import { refusal } from './refusal.js'

/** Largest payload of a readings message (design, section 6). */
export const MAX_PAYLOAD_BYTES = 256 * 1024
/** Deepest nesting of its JSON. A plain batch has four levels. */
const MAX_DEPTH = 16

// Fatal: a payload that is not UTF-8 is refused, not repaired. A byte order mark is dropped.
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** The JSON value of a payload, or why there is none. Nesting is measured on the bytes, before anything recursive sees them. */
export function parsePayload(payload: Uint8Array): { readonly value: unknown } | Refusal {
  if (payload.length > MAX_PAYLOAD_BYTES) return refusal('payload-too-large', `${payload.length} bytes`)
  const text = decodeUtf8(payload)
  if (text === undefined) return refusal('not-utf8')
  if (isTooDeep(payload)) return refusal('too-deep')
  try {
    return { value: JSON.parse(text) }
  } catch (error) {
    return refusal('not-json', error instanceof Error ? error.message : '')
  }
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const isOpening = (byte: number): boolean => byte === 0x5b || byte === 0x7b
const isClosing = (byte: number): boolean => byte === 0x5d || byte === 0x7d

function isTooDeep(bytes: Uint8Array): boolean {
  // Most messages have fewer brackets than levels are allowed: counting them is the cheaper look.
  let openings = 0
  for (let i = 0; i < bytes.length; i++) if (isOpening(bytes[i] as number)) openings++
  return openings > MAX_DEPTH && depthOf(bytes) > MAX_DEPTH
}

/** Deepest nesting of brackets outside strings. */
function depthOf(bytes: Uint8Array): number {
  let depth = 0
  let deepest = 0
  let inString = false
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number
    if (inString && byte === BACKSLASH) i++
    else if (byte === QUOTE) inString = !inString
    else if (inString) continue
    else if (isOpening(byte)) deepest = Math.max(deepest, ++depth)
    else if (isClosing(byte)) depth--
  }
  return deepest
}
