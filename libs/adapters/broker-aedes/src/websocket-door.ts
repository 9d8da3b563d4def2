import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws'
import { Refusal, type RefusalReason } from './errors.js'

/** Where every MQTT client looks when it is told nothing else. */
const PATH = '/mqtt'
/** MQTT 3.1.1, section 6: the client must offer it, the server must choose it [MQTT-6.0.0-3, 4]. */
const SUB_PROTOCOL = 'mqtt'
const HEADER_BYTES = 8 * 1_024
/** How long a closing handshake may take. */
const CLOSE_MS = 2_000

export interface WebSocketDoorOptions {
  /** Largest message; it may come in several frames. */
  readonly messageBytes: number
  readonly onRefused: (reason: RefusalReason, socket: Socket) => void
}

/** Upgrades connections that were accepted, and encrypted where that is wanted, elsewhere. */
export class WebSocketDoor {
  readonly #options: WebSocketDoorOptions
  readonly #http: Server
  readonly #upgrader: WebSocketServer
  readonly #waiting = new WeakMap<Duplex, (stream: Duplex) => void>()

  constructor(options: WebSocketDoorOptions) {
    this.#options = options
    this.#upgrader = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: options.messageBytes,
      perMessageDeflate: false, // a payload is small, a context costs each connection 300 KiB and a stranger could fill it
      handleProtocols: () => SUB_PROTOCOL,
      closeTimeout: CLOSE_MS
    } as ConstructorParameters<typeof WebSocketServer>[0])
    this.#upgrader.on('wsClientError', (_error, socket) => this.#refuse(socket as Socket, '400 Bad Request'))
    this.#http = createServer({ maxHeaderSize: HEADER_BYTES, insecureHTTPParser: false })
    this.#http.on('request', (request, response) => this.#answer(request, response))
    this.#http.on('clientError', (_error, socket) => this.#refuse(socket as Socket, '400 Bad Request'))
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket as Socket, head))
  }

  enter(socket: Socket, onUpgraded: (stream: Duplex) => void): void {
    this.#waiting.set(socket, onUpgraded)
    this.#http.emit('connection', socket)
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    if (request.url?.split('?')[0] !== PATH) return this.#refuse(socket, '404 Not Found')
    const offered = request.headers['sec-websocket-protocol']?.split(',').map(name => name.trim())
    if (!offered?.includes(SUB_PROTOCOL)) return this.#refuse(socket, '400 Bad Request')
    this.#upgrader.handleUpgrade(request, socket, head, webSocket => this.#upgraded(socket, webSocket))
  }

  #upgraded(socket: Socket, webSocket: WebSocket): void {
    webSocket.on('message', (_data, isBinary) => {
      if (!isBinary) stream.destroy(new Refusal('protocol-error')) // [MQTT-6.0.0-1]
    })
    const stream = createWebSocketStream(webSocket)
    stream.on('error', () => undefined) // whoever gets the stream has a listener of its own
    this.#waiting.get(socket)?.(stream)
    this.#waiting.delete(socket)
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.#options.onRefused('websocket', request.socket)
    response.writeHead(426, { upgrade: 'websocket', connection: 'close', 'content-type': 'text/plain' })
    response.end(`MQTT over WebSocket is at ${PATH}\n`, () => request.socket.destroySoon())
  }

  #refuse(socket: Socket, status: string): void {
    this.#options.onRefused('websocket', socket)
    if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy())
    else socket.destroy()
  }
}
