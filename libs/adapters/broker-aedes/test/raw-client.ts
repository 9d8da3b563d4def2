/** An MQTT client that does as it is told: it acknowledges nothing, and reads only when asked to. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { generate, type IConnackPacket, type IConnectPacket, type ISubackPacket, type Packet, parser } from 'mqtt-packet'
import { onClose, SECRET, topicOf } from './harness.js'

export class RawClient {
  readonly socket: Socket
  readonly packets: Packet[] = []
  /** Settles when the connection has ended, by whichever side. */
  readonly closed: Promise<void>
  #taken = 0
  #arrived: () => void = () => undefined

  /** Over a socket that is connected. `parses` false where it speaks something else than MQTT. */
  constructor(socket: Socket, parses = true) {
    this.socket = socket
    const incoming = parser()
    incoming.on('packet', packet => {
      this.packets.push(packet)
      this.#arrived()
    })
    if (parses) socket.on('data', chunk => incoming.parse(chunk))
    socket.on('error', () => undefined)
    this.closed = new Promise(resolve => socket.once('close', () => resolve()))
    onClose(() => socket.destroy())
  }

  static async open(port: number, { parses = true } = {}): Promise<RawClient> {
    const socket = connect({ host: '127.0.0.1', port })
    const client = new RawClient(socket, parses)
    await once(socket, 'connect')
    return client
  }

  /** Connected and logged in as a station. */
  static async login(port: number, station: string, options: Partial<IConnectPacket> = {}): Promise<RawClient> {
    const client = await RawClient.open(port)
    await client.connect(station, options)
    return client
  }

  /** Sends a CONNECT; returns the CONNACK. */
  async connect(station: string, options: Partial<IConnectPacket> = {}): Promise<IConnackPacket> {
    this.send({
      cmd: 'connect',
      clientId: `${station}-raw`,
      protocolId: 'MQTT',
      protocolVersion: 4,
      clean: true,
      keepalive: 60,
      username: station,
      password: Buffer.from(SECRET),
      ...options
    })
    return (await this.next('connack')) as IConnackPacket
  }

  send(packet: Packet | Buffer): void {
    this.socket.write(Buffer.isBuffer(packet) ? packet : generate(packet))
  }

  /** The next packet, which must be of this kind. */
  async next(cmd: Packet['cmd']): Promise<Packet> {
    while (this.packets.length === this.#taken) await new Promise<void>(resolve => (this.#arrived = resolve))
    const packet = this.packets[this.#taken++] as Packet
    if (packet.cmd !== cmd) throw new Error(`expected ${cmd}, got ${packet.cmd}`)
    return packet
  }

  /** Returns the SUBACK. */
  async subscribe(topics: string | readonly string[], qos: 0 | 1 | 2): Promise<ISubackPacket> {
    this.send({ cmd: 'subscribe', messageId: 9_999, subscriptions: [topics].flat().map(topic => ({ topic, qos })) })
    return (await this.next('suback')) as ISubackPacket
  }
}

interface PublishOptions {
  readonly topic?: string
  readonly qos?: 0 | 1 | 2
  readonly messageId?: number
  readonly dup?: boolean
  readonly retain?: boolean
}

export function publish(station: string, payload: string, options: PublishOptions = {}): Buffer {
  const { topic = topicOf(station, 'readings'), qos = 1, messageId = 1, dup = false, retain = false } = options
  return generate({ cmd: 'publish', topic, payload, qos, messageId, dup, retain })
}
