import type { Clock, Log, Principal } from '#libs/pipeline'
import type { TlsCertificates } from '#libs/platform'
import type { ListenerPorts } from './listener.js'
import type { LoginLimits } from './login-penalties.js'
import type { Qos } from './persistence/packets.js'
import type { PersistenceLimits } from './persistence/persistence.js'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const DAY = 24 * 60 * MINUTE
const KIB = 1_024
const MIB = 1_024 * KIB

/** A message from a station, as `onPublish` gets it. */
export interface Inbound {
  readonly topic: string
  /** A view of what was read from the socket: copy what outlives the call. */
  readonly payload: Uint8Array
  readonly qos: Qos
  /** DUP was set: the sender has sent it before, and does not know whether it was kept. */
  readonly duplicate: boolean
  /** Whether it will be retained: RETAIN was set, and the topic is one that may be. */
  readonly retain: boolean
  readonly clientId: string
  readonly principal: Principal
}

export interface Limits extends PersistenceLimits, LoginLimits {
  /** Bytes of one packet after its fixed header. A reading may have 256 KiB (design, section 6). */
  readonly packetBytes: number
  /** Bytes of a CONNECT, which comes from a stranger. */
  readonly connectBytes: number
  readonly topicLevels: number
  readonly clientIdLength: number
  /** Longest keep-alive, in seconds. A client that asks for none, or for a longer one, is held to this. */
  readonly keepAliveSeconds: number
  readonly connections: number
  readonly connectionsPerAddress: number
  /** TLS handshakes under way at one time, over all listeners; each takes memory of a stranger's choosing. */
  readonly handshakes: number
  /** From the first byte to a complete CONNECT; before that, from the connection to the end of TLS handshake and WebSocket upgrade. */
  readonly connectTimeoutMs: number
  readonly subscriptions: number
  /** Bytes of one connection that were given to `onPublish` and are not kept yet; with more, its socket is not read. */
  readonly unkeptBytes: number
  /** Bytes that wait for a peer to read them; a connection with more is cut. */
  readonly unreadBytes: number
  /** How long a peer may leave a full socket unread. */
  readonly unreadMs: number
}

export const DEFAULT_LIMITS: Limits = {
  packetBytes: 300 * KIB,
  connectBytes: 16 * KIB,
  topicLevels: 8,
  clientIdLength: 128,
  keepAliveSeconds: 3_600,
  connections: 10_000,
  connectionsPerAddress: 1_000,
  handshakes: 2_000,
  connectTimeoutMs: 10 * SECOND,
  subscriptions: 50,
  unkeptBytes: 128 * KIB,
  unreadBytes: 4 * MIB,
  unreadMs: 15 * SECOND,
  sessions: 10_000,
  sessionIdleMs: 30 * DAY,
  queuedMessages: 10_000,
  queuedBytes: 16 * MIB,
  totalQueuedBytes: 128 * MIB,
  inboundInFlight: 1_000,
  window: 100,
  retainedMessages: 20_000,
  retainedBytes: 32 * MIB,
  sessionFileBytes: 1_024 * MIB,
  loginDelayMs: 250,
  loginMaxDelayMs: 5 * SECOND,
  loginFailures: 10,
  loginBlockMs: SECOND,
  loginMaxBlockMs: 5 * MINUTE,
  loginAddresses: 10_000
}

export interface BrokerOptions {
  readonly host: string
  /** Of each listener; 0 takes a free one, null or nothing leaves the listener off. */
  readonly ports: Partial<ListenerPorts>
  /** Needed for the encrypted listeners; whoever opened it closes it. */
  readonly certificates?: TlsCertificates
  /** Existing folder; `sessions.sqlite` in it is the broker's. */
  readonly dataDir: string
  readonly limits?: Partial<Limits>
  /**
   * Who that is, or null. `certificate` is the common name of a client certificate that one of our authorities signed, null
   * without one. A rejection means that it cannot be told now: the client is asked to come back. Compare in constant time.
   */
  readonly authenticate: (
    username: string | undefined,
    password: Uint8Array | undefined,
    certificate: string | null
  ) => Principal | null | Promise<Principal | null>
  /**
   * Keeps a message. The acknowledgement (QoS 1, 2) leaves after it has resolved; when it rejects, the connection is closed and
   * nothing is acknowledged. Of QoS 0 a rejection is only counted.
   */
  readonly onPublish: (message: Inbound) => Promise<void>
  readonly log: Log
  readonly now: Clock
}
