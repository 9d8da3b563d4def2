import type { AddressInfo } from 'node:net'
import { createServer, type Server, type Socket } from 'node:net'
import { generate, type IConnectPacket, type IPublishPacket, type Packet, parser } from 'mqtt-packet'

export interface Received {
  readonly clientId: string
  readonly topic: string
  readonly payload: string
  readonly qos: number
  readonly dup: boolean
  readonly packetId: number
}

/** What the stub does with a packet: answer it, say nothing, or cut the connection (before it keeps a PUBLISH, or after). */
export type Conduct = 'answer' | 'silent' | 'cut' | 'keep-and-cut'

export interface StubOptions {
  readonly conduct?: (packet: Packet, clientId: string) => Conduct
  readonly accepts?: (connect: IConnectPacket) => boolean
}

interface Session {
  readonly subscriptions: Set<string>
  /** QoS 2 packet identifiers that were received and not released: the same one again is no new message. */
  readonly received: Set<number>
}

/**
 * The broker's side of MQTT 3.1.1 in as few lines as the simulators' tests need: sessions, QoS 0 to 2, wills, exact
 * subscriptions. It can be told to misbehave at any packet.
 */
export class StubBroker {
  /** Every PUBLISH as it came, repeats included. */
  readonly received: Received[] = []
  /** Each message once, as a broker hands it on. */
  readonly messages: Received[] = []
  readonly retained = new Map<string, string>()
  conduct: (packet: Packet, clientId: string) => Conduct
  readonly #accepts: (connect: IConnectPacket) => boolean
  readonly #server: Server
  readonly #sockets = new Map<Socket, { clientId: string; will: IPublishPacket | undefined }>()
  readonly #sessions = new Map<string, Session>()
  #nextId = 1

  private constructor(options: StubOptions) {
    this.conduct = options.conduct ?? (() => 'answer')
    this.#accepts = options.accepts ?? (() => true)
    this.#server = createServer({ noDelay: true }, socket => this.#serve(socket))
  }

  static async listen(options: StubOptions = {}): Promise<StubBroker> {
    const stub = new StubBroker(options)
    await new Promise<void>(resolve => stub.#server.listen(0, '127.0.0.1', resolve))
    return stub
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`
  }

  get connections(): number {
    return this.#sockets.size
  }

  /** Delivers to whoever has subscribed exactly this topic. */
  publish(topic: string, payload: string): void {
    for (const [socket, { clientId }] of this.#sockets) {
      if (!this.#sessions.get(clientId)?.subscriptions.has(topic)) continue
      socket.write(generate({ cmd: 'publish', topic, payload, qos: 1, dup: false, retain: false, messageId: this.#nextId++ }))
    }
  }

  /** Writes bytes to every client, whatever they mean. */
  write(bytes: Buffer): void {
    for (const socket of this.#sockets.keys()) socket.write(bytes)
  }

  /** Cuts every connection as a broken line would. */
  cut(): void {
    for (const socket of this.#sockets.keys()) socket.destroy()
  }

  async close(): Promise<void> {
    this.cut()
    await new Promise<void>(resolve => this.#server.close(() => resolve()))
  }

  #serve(socket: Socket): void {
    const state: { clientId: string; will: IPublishPacket | undefined } = { clientId: '', will: undefined }
    this.#sockets.set(socket, state)
    const frames = parser({ protocolVersion: 4 })
    frames.on('packet', packet => {
      if (!socket.destroyed) this.#take(socket, state, packet)
    })
    socket.on('data', bytes => frames.parse(bytes))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#sockets.delete(socket)
      if (state.will) this.#keep(state.clientId, state.will)
    })
  }

  #take(socket: Socket, state: { clientId: string; will: IPublishPacket | undefined }, packet: Packet): void {
    if (packet.cmd === 'connect') state.clientId = packet.clientId
    const conduct = this.conduct(packet, state.clientId)
    if (conduct === 'cut') socket.destroy()
    if (conduct === 'cut' || conduct === 'silent') return
    const answer = this.#answer(state, packet)
    if (conduct === 'keep-and-cut') socket.destroy()
    else if (answer) socket.write(generate(answer))
  }

  #answer(state: { clientId: string; will: IPublishPacket | undefined }, packet: Packet): Packet | undefined {
    if (packet.cmd === 'connect') return this.#connect(state, packet)
    const session = this.#sessions.get(state.clientId)
    if (!session) return undefined
    if (packet.cmd === 'publish') return this.#publish(state.clientId, session, packet)
    if (packet.cmd === 'pubrel') {
      session.received.delete(packet.messageId as number)
      return { cmd: 'pubcomp', messageId: packet.messageId as number }
    }
    if (packet.cmd === 'subscribe') {
      for (const { topic } of packet.subscriptions) session.subscriptions.add(topic)
      return { cmd: 'suback', messageId: packet.messageId as number, granted: packet.subscriptions.map(s => s.qos) }
    }
    if (packet.cmd === 'pingreq') return { cmd: 'pingresp' }
    if (packet.cmd === 'disconnect') state.will = undefined
    return undefined
  }

  #connect(state: { will: IPublishPacket | undefined }, packet: IConnectPacket): Packet {
    if (!this.#accepts(packet)) return { cmd: 'connack', returnCode: 5, sessionPresent: false }
    const known = packet.clean ? undefined : this.#sessions.get(packet.clientId)
    this.#sessions.set(packet.clientId, known ?? { subscriptions: new Set(), received: new Set() })
    const { will } = packet
    if (will) {
      state.will = {
        cmd: 'publish',
        topic: will.topic,
        payload: will.payload,
        qos: will.qos ?? 0,
        retain: will.retain ?? false,
        dup: false
      }
    }
    return { cmd: 'connack', returnCode: 0, sessionPresent: known !== undefined }
  }

  #publish(clientId: string, session: Session, packet: IPublishPacket): Packet | undefined {
    this.received.push(received(clientId, packet))
    const id = packet.messageId as number
    if (packet.qos < 2 || !session.received.has(id)) this.#keep(clientId, packet)
    if (packet.qos === 1) return { cmd: 'puback', messageId: id }
    if (packet.qos === 2) session.received.add(id)
    return packet.qos === 2 ? { cmd: 'pubrec', messageId: id } : undefined
  }

  #keep(clientId: string, packet: IPublishPacket): void {
    this.messages.push(received(clientId, packet))
    if (packet.retain) this.retained.set(packet.topic, packet.payload.toString())
  }
}

const received = (clientId: string, packet: IPublishPacket): Received => ({
  clientId,
  topic: packet.topic,
  payload: packet.payload.toString(),
  qos: packet.qos,
  dup: packet.dup,
  packetId: packet.messageId ?? 0
})

/** The list's members by a key of theirs, in their order. */
export function groupBy<T, K>(list: readonly T[], keyOf: (member: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>()
  for (const member of list) groups.set(keyOf(member), [...(groups.get(keyOf(member)) ?? []), member])
  return groups
}

/** Waits until something is so; fails with its name after ten seconds. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const end = Date.now() + 10_000
  while (!condition()) {
    if (Date.now() > end) throw new Error(`never came: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}
