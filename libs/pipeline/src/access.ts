import { STATION_CODE } from '#libs/model'

export const TOKEN_ROLES = ['reader', 'operator', 'ingest'] as const
/** What an API token may do: read; read and acknowledge; post readings. */
export type TokenRole = (typeof TOKEN_ROLES)[number]

/** Who speaks. A station speaks for itself alone. */
export type Principal =
  | { readonly kind: 'station'; readonly code: string }
  | { readonly kind: 'token'; readonly name: string; readonly role: TokenRole }

/** MQTT user name of programs; the password is their API token (design, section 6). */
export const TOKEN_USER = 'token'

const ROOT = 'quantrac/v1'
const ALARMS = `${ROOT}/alarms`
/** The last parts of the topics that a station may publish to, and subscribe to. */
const PUBLISHED = ['readings', 'status', 'commands/reply'] as const
const SUBSCRIBED = ['commands', 'commands/reply', 'readings', 'status'] as const

/** A station publishes only its own topics; a token publishes nothing over MQTT. */
export function mayPublish(principal: Principal, topic: string): boolean {
  if (principal.kind !== 'station' || !STATION_CODE.test(principal.code)) return false
  return PUBLISHED.some(part => topic === `${ROOT}/${principal.code}/${part}`)
}

/** A station subscribes only its own topics (with or without a wildcard below them); readers and operators only alarms. */
export function maySubscribe(principal: Principal, filter: string): boolean {
  if (principal.kind === 'station') {
    const own = `${ROOT}/${principal.code}/`
    return filter === `${own}#` || filter === `${own}+` || SUBSCRIBED.some(part => filter === `${own}${part}`)
  }
  if (principal.role === 'ingest') return false
  return filter === ALARMS || filter.startsWith(`${ALARMS}/`)
}
