import type { TopicKind } from '#libs/wire'
import { parseTopic, TOPIC_ROOT } from '#libs/wire'

export const TOKEN_ROLES = ['reader', 'operator', 'ingest'] as const
/** What an API token may do: read; read, acknowledge and correct; post readings. */
export type TokenRole = (typeof TOKEN_ROLES)[number]

/** Who speaks. A station speaks for itself alone. */
export type Principal =
  | { readonly kind: 'station'; readonly code: string }
  | { readonly kind: 'token'; readonly name: string; readonly role: TokenRole }

/** MQTT user name of programs; the password is their API token (design, section 6). */
export const TOKEN_USER = 'token'

const ALARMS = `${TOPIC_ROOT}/alarms`
const PUBLISHED: readonly TopicKind[] = ['readings', 'status', 'reply']
const SUBSCRIBED: readonly TopicKind[] = ['commands', 'reply', 'readings', 'status']

/** True for a topic of one of these kinds that belongs to the station itself. */
function isOwn(code: string, topic: string, kinds: readonly TopicKind[]): boolean {
  const parsed = parseTopic(topic)
  return parsed !== undefined && parsed.station === code && kinds.includes(parsed.kind)
}

/** A station publishes only its own topics; a token publishes nothing over MQTT. */
export function mayPublish(principal: Principal, topic: string): boolean {
  return principal.kind === 'station' && isOwn(principal.code, topic, PUBLISHED)
}

/** A station subscribes only its own topics (with or without a wildcard below them); readers and operators only alarms. */
export function maySubscribe(principal: Principal, filter: string): boolean {
  if (principal.kind === 'station') {
    const own = `${TOPIC_ROOT}/${principal.code}/`
    return filter === `${own}#` || filter === `${own}+` || isOwn(principal.code, filter, SUBSCRIBED)
  }
  if (principal.role === 'ingest') return false
  return filter === ALARMS || filter.startsWith(`${ALARMS}/`)
}
