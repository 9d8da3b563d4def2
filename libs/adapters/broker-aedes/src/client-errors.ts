import { BrokerError, Refusal, type RefusalReason } from './errors.js'

/** Aedes' own errors have texts only. */
const BY_TEXT: readonly (readonly [RegExp, RefusalReason])[] = [
  [/^connect did not arrive in time/, 'connect-timeout'],
  [/^keep alive timeout/, 'keep-alive'],
  [/^topic has too many levels/, 'topic-levels'],
  [/^maxInflightInbound exceeded/, 'inflight-limit'],
  [/^drain timeout/, 'slow-reader'],
  [/^unacceptable protocol version/, 'protocol-version'],
  [/^identifier rejected/, 'client-id'],
  [/(only allowed in SUBSCRIBE|SUBSCRIBE to an empty topic)/, 'invalid-filter']
]

/** What an error that ended a connection counts as; null where the peer or the network just went away. */
export function reasonOf(error: Error & { code?: unknown }): RefusalReason | null {
  if (error instanceof Refusal) return error.reason
  if (error instanceof BrokerError) return 'not-kept' // a subscription, a will, a step of QoS 2
  const { code } = error
  if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') return 'packet-too-large'
  if (typeof code === 'string' && code.startsWith('WS_ERR_')) return 'protocol-error'
  if (typeof code === 'string' || error.message === 'connection closed') return null
  return BY_TEXT.find(([text]) => text.test(error.message))?.[1] ?? 'protocol-error'
}
