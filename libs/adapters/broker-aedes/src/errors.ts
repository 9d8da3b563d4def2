/** Codes of the errors that this adapter throws; what to do about each is in docs/errors.md. */
export type BrokerErrorCode =
  | 'QT_MQTT_PORT_IN_USE'
  | 'QT_MQTT_PORT_FORBIDDEN'
  | 'QT_MQTT_LISTEN_FAILED'
  | 'QT_MQTT_CLOSED'
  | 'QT_MQTT_SESSIONS_LOCKED'
  | 'QT_MQTT_SESSIONS_UNREADABLE'
  | 'QT_MQTT_SESSIONS_FULL'
  | 'QT_MQTT_SESSIONS_FAILED'

/** Our mistake or the machine's: the operator must act. What a client does wrong is a `Refusal`. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError'

  constructor(
    readonly code: BrokerErrorCode,
    message: string,
    options?: ErrorOptions
  ) {
    super(message, options)
  }
}

/** Everything that a client or an address is refused for, or cut off for. Each is counted; see `stats().refused`. */
export const REFUSAL_REASONS = [
  'total-connections',
  'address-connections',
  'address-blocked',
  'handshake-limit',
  'tls-handshake',
  'client-certificate',
  'websocket',
  'connect-timeout',
  'protocol-error',
  'protocol-version',
  'packet-too-large',
  'bad-credentials',
  'login-unavailable',
  'client-id',
  'session-limit',
  'foreign-will',
  'foreign-topic',
  'foreign-filter',
  'invalid-filter',
  'subscription-limit',
  'topic-levels',
  'keep-alive',
  'slow-reader',
  'inflight-limit',
  'queue-limit',
  'retained-limit',
  'not-kept'
] as const
export type RefusalReason = (typeof REFUSAL_REASONS)[number]

/** A client's mistake, or a limit that it ran into, as Aedes wants it: an error whose `returnCode` goes into the CONNACK. */
export class Refusal extends Error {
  override readonly name = 'Refusal'

  constructor(
    readonly reason: RefusalReason,
    readonly returnCode?: ReturnCode
  ) {
    super(reason)
  }
}

/** CONNACK return codes of MQTT 3.1.1, table 3.1. */
export const RETURN_CODE = { clientId: 2, unavailable: 3, badCredentials: 4, notAuthorized: 5 } as const
export type ReturnCode = (typeof RETURN_CODE)[keyof typeof RETURN_CODE]
