import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { AuthenticateError, Client, ConnectPacket } from 'aedes'
import { mayPublish, type Principal } from '#libs/pipeline'
import { RETURN_CODE, Refusal } from './errors.js'
import { isRetainable, type Link } from './link.js'
import type { LoginPenalties } from './login-penalties.js'
import type { BrokerOptions, Limits } from './options.js'
import type { SessionKeeper } from './persistence/session-keeper.js'
import { sessionIdOf } from './session-id.js'

export interface AdmissionParts {
  readonly links: WeakMap<Client, Link>
  readonly limits: Limits
  readonly authenticate: BrokerOptions['authenticate']
  readonly penalties: LoginPenalties
  readonly keeper: SessionKeeper
}

const SUPPORTED_VERSIONS = [3, 4]

/**
 * Judges a CONNECT. It is judged in Aedes' `preConnect`, because only there may the packet still be changed: the client
 * identifier becomes the session's name, which tells whose it is, and the keep-alive is capped. The refusal itself is made in
 * `authenticate`, which answers with a CONNACK.
 */
export class Admission {
  readonly #parts: AdmissionParts

  constructor(parts: AdmissionParts) {
    this.#parts = parts
  }

  readonly preConnect = (client: Client, packet: ConnectPacket, done: (error: Error | null, success: boolean) => void): void => {
    const link = this.#parts.links.get(client)
    if (!link || !SUPPORTED_VERSIONS.includes(packet.protocolVersion ?? 0)) return done(null, true) // Aedes refuses the version
    this.#judge(link, packet).then(
      () => done(null, true),
      (error: unknown) => {
        link.refusal = error instanceof Refusal ? error : new Refusal('login-unavailable', RETURN_CODE.unavailable)
        done(null, true)
      }
    )
  }

  readonly authenticate = (
    client: Client,
    _username: unknown,
    _password: unknown,
    done: (error: AuthenticateError | null, success: boolean | null) => void
  ): void => {
    const link = this.#parts.links.get(client)
    const refusal = link?.refusal ?? this.#openSession(client)
    done(refusal as AuthenticateError | null, refusal === null)
  }

  /** @throws Refusal */
  async #judge(link: Link, packet: ConnectPacket): Promise<void> {
    const { limits } = this.#parts
    const { clientId, clean = true, will } = packet
    if (clientId.length > limits.clientIdLength || (clientId === '' && !clean)) throw new Refusal('client-id', RETURN_CODE.clientId)
    const principal = await this.#logIn(link, packet)
    if (will) {
      if (!mayPublish(principal, will.topic)) throw new Refusal('foreign-will', RETURN_CODE.notAuthorized)
      will.retain &&= isRetainable(will.topic)
    }
    link.principal = principal
    link.clientId = clientId === '' ? `auto-${randomUUID()}` : clientId // [MQTT-3.1.3-6]
    packet.clientId = sessionIdOf(principal, link.clientId)
    const { keepalive = 0 } = packet
    packet.keepalive = keepalive === 0 ? limits.keepAliveSeconds : Math.min(keepalive, limits.keepAliveSeconds)
  }

  /** @throws Refusal bad-credentials, after a delay that grows with the address's failures */
  async #logIn(link: Link, { username, password }: ConnectPacket): Promise<Principal> {
    const { authenticate, penalties } = this.#parts
    const principal = await authenticate(username, password, link.certificate)
    if (principal) {
      penalties.succeeded(link.address)
      return principal
    }
    await pause(penalties.failed(link.address), undefined, { ref: false })
    throw new Refusal('bad-credentials', RETURN_CODE.badCredentials)
  }

  #openSession(client: Client): Refusal | null {
    const { keeper } = this.#parts
    if (client.closed) return null
    if (client.clean) keeper.drop(client.id)
    else if (!keeper.open(client.id)) return new Refusal('session-limit', RETURN_CODE.unavailable)
    return null
  }
}
