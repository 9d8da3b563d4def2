import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TlsCertificates } from '#libs/platform'
import type { Counters } from './counters.js'
import type { RefusalReason } from './errors.js'
import { addressKey, type Gate } from './gate.js'
import { LISTENER_KINDS, type Listener, type ListenerKind, type ListenerPorts, listenTcp } from './listener.js'
import type { Limits } from './options.js'
import { TlsDoor } from './tls-door.js'
import { WebSocketDoor } from './websocket-door.js'

/** A connection that speaks MQTT from here on. */
export interface Arrival {
  readonly stream: Duplex
  readonly address: string
  /** Common name of the client certificate; null without one. */
  readonly certificate: string | null
}

export interface EntranceParts {
  readonly gate: Gate
  readonly limits: Limits
  readonly counters: Counters
  readonly certificates: TlsCertificates | undefined
  readonly onArrival: (arrival: Arrival) => void
}

/** Above one MQTT packet: its fixed header, and what a client packs beside it. */
const BESIDE_BYTES = 1_024

/**
 * All listeners of the broker. Whatever a connection speaks first, it passes the same gate and is counted once; handshake and
 * upgrade together have as long as a CONNECT has.
 */
export class Entrance {
  readonly #parts: EntranceParts
  readonly #listeners = new Map<ListenerKind, Listener>()
  readonly #sockets = new Set<Socket>()
  readonly #webSocket: WebSocketDoor
  readonly #tls: TlsDoor | null
  #ready: () => void = () => undefined
  readonly #begun = new Promise<void>(resolve => (this.#ready = resolve))
  #closing = false

  constructor(parts: EntranceParts) {
    this.#parts = parts
    const { limits, certificates } = parts
    const onRefused = (reason: RefusalReason, socket: Socket, code?: string): void =>
      parts.counters.refuse(reason, { address: addressKey(socket.remoteAddress), code })
    this.#webSocket = new WebSocketDoor({ messageBytes: limits.packetBytes + BESIDE_BYTES, onRefused })
    this.#tls = certificates ? new TlsDoor({ certificates, onRefused }) : null
  }

  /**
   * Takes the ports. Connections wait until `open`.
   * @throws BrokerError QT_MQTT_PORT_IN_USE, QT_MQTT_PORT_FORBIDDEN, QT_MQTT_LISTEN_FAILED
   */
  async listen(host: string, ports: Partial<ListenerPorts>): Promise<void> {
    for (const kind of LISTENER_KINDS) {
      const port = ports[kind] ?? null
      if (port !== null) this.#listeners.set(kind, await listenTcp({ kind, host, port }, socket => this.#wait(kind, socket)))
    }
  }

  open(): void {
    this.#ready()
  }

  /** The ports that were taken; null where a listener is off. */
  get ports(): ListenerPorts {
    const port = (kind: ListenerKind): number | null => this.#listeners.get(kind)?.port ?? null
    return { tcp: port('tcp'), tls: port('tls'), ws: port('ws'), wss: port('wss') }
  }

  /** Takes no new connections; resolves when the last one has ended. */
  async close(): Promise<void> {
    this.#closing = true
    await Promise.all([...this.#listeners.values()].map(listener => listener.close()))
    this.#tls?.close()
  }

  /** Ends the connections that are left. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** The first ones may come before the broker is ready for them. */
  #wait(kind: ListenerKind, socket: Socket): void {
    socket.on('error', () => undefined) // Aedes has its own listener once it has the socket
    void this.#begun.then(() => this.#accept(kind, socket))
  }

  #accept(kind: ListenerKind, socket: Socket): void {
    const { gate, counters } = this.#parts
    const address = addressKey(socket.remoteAddress)
    const refused = this.#closing ? 'total-connections' : this.#tooMany(kind) ? 'handshake-limit' : gate.enter(address)
    if (refused) {
      counters.refuse(refused, { address })
      socket.destroy()
      return
    }
    this.#sockets.add(socket)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      gate.leave(address)
    })
    if (kind === 'tcp') this.#parts.onArrival({ stream: socket, address, certificate: null })
    else this.#lead(kind, socket, address)
  }

  #tooMany(kind: ListenerKind): boolean {
    return isEncrypted(kind) && (this.#tls?.waiting ?? 0) >= this.#parts.limits.handshakes
  }

  /** Through the doors that this kind of listener has. */
  #lead(kind: Exclude<ListenerKind, 'tcp'>, socket: Socket, address: string): void {
    const { onArrival, limits, counters } = this.#parts
    const deadline = setTimeout(() => {
      counters.refuse('connect-timeout', { address })
      socket.destroy()
    }, limits.connectTimeoutMs)
    socket.once('close', () => clearTimeout(deadline))
    const arrive = (stream: Duplex, certificate: string | null): void => {
      clearTimeout(deadline)
      onArrival({ stream, address, certificate })
    }
    const inside = (stream: Socket, certificate: string | null): void => {
      if (kind === 'tls') arrive(stream, certificate)
      else this.#webSocket.enter(stream, upgraded => arrive(upgraded, certificate))
    }
    if (kind === 'ws') inside(socket, null)
    else this.#tls?.enter(socket, ({ stream, certificate }) => inside(stream, certificate))
  }
}

const isEncrypted = (kind: ListenerKind): boolean => kind === 'tls' || kind === 'wss'
