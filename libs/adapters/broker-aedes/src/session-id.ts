import { type Principal } from '#libs/pipeline'

/**
 * A session's name inside the broker: whose it is, then the client identifier. So two stations with one client identifier (a
 * device's factory setting, often) neither disconnect each other nor reach each other's session.
 */
export function sessionIdOf(principal: Principal, clientId: string): string {
  const name = principal.kind === 'station' ? principal.code : principal.name
  return `${principal.kind}:${encodeURIComponent(name)}/${clientId}`
}

export interface SessionName {
  /** The station; null for a program, whose role the name does not tell. */
  readonly station: Principal | null
  readonly clientId: string
}

export function parseSessionId(id: string): SessionName {
  const slash = id.indexOf('/')
  const [kind, name] = id.slice(0, slash).split(':')
  const station = kind === 'station' && name !== undefined ? ({ kind, code: decodeURIComponent(name) } as const) : null
  return { station, clientId: id.slice(slash + 1) }
}
