import { once } from 'node:events'
import { connect } from 'node:net'
import { generate } from 'mqtt-packet'

export interface Sender {
  start(): void
  stop(): void
  acknowledged(): number
}

export interface SenderOptions {
  readonly port: number
  readonly window: number
  readonly station: string
}

const PAYLOAD_BYTES = 200
/** A PUBACK is always four bytes: 0x40 0x02 and the packet identifier. */
const PUBACK_BYTES = 4
const CONNACK_BYTES = 4

/** A raw socket that keeps `window` QoS 1 messages unacknowledged: each PUBACK releases the next message. */
export async function openSender(options: SenderOptions): Promise<Sender> {
  const socket = connect({ port: options.port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  const station = options.station
  socket.write(generate({ cmd: 'connect', clientId: station, clean: true, keepalive: 60, username: station, password: Buffer.from('x') }))
  const [connack] = (await once(socket, 'data')) as [Buffer]
  if (connack.length !== CONNACK_BYTES || connack[3] !== 0) throw new Error(`${station} was refused: ${connack.toString('hex')}`)
  const frame = frameOf(station)
  let acknowledged = 0
  let left = 0
  let messageId = 0
  const send = (count: number): void => {
    const batch = Buffer.allocUnsafe(frame.bytes.length * count)
    for (let n = 0; n < count; n++) {
      messageId = messageId === 65_535 ? 1 : messageId + 1
      const at = n * frame.bytes.length
      frame.bytes.copy(batch, at)
      batch.writeUInt16BE(messageId, at + frame.idAt)
    }
    socket.write(batch)
  }
  socket.on('data', (chunk: Buffer) => {
    const bytes = left + chunk.length
    left = bytes % PUBACK_BYTES
    const count = (bytes - left) / PUBACK_BYTES
    acknowledged += count
    if (count > 0) send(count)
  })
  socket.on('error', error => {
    console.error(`${station}: ${error.message}`)
  })
  return { start: () => send(options.window), stop: () => socket.destroy(), acknowledged: () => acknowledged }
}

/** One PUBLISH whose identifier is patched for each sending. */
function frameOf(station: string): { bytes: Buffer; idAt: number } {
  const topic = `quantrac/v1/${station}/readings`
  const bytes = generate({
    cmd: 'publish',
    topic,
    payload: Buffer.alloc(PAYLOAD_BYTES, 0x20),
    qos: 1,
    messageId: 1,
    dup: false,
    retain: false
  })
  return { bytes, idAt: bytes.length - PAYLOAD_BYTES - 2 }
}
