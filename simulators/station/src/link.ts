import { connect, Socket } from 'node:net'

/**
 * The line between a device and the broker, which can be cut: the socket dies without a DISCONNECT, and until the line is
 * restored every new try fails at once.
 */
export class Link {
  readonly #host: string
  readonly #port: number
  #socket: Socket | undefined
  #up = true

  /** `url` like `mqtt://127.0.0.1:1883`. */
  constructor(url: string) {
    const { hostname, port } = new URL(url)
    this.#host = hostname.replace(/^\[|\]$/g, '')
    this.#port = port === '' ? 1883 : Number(port)
  }

  open(): Socket {
    this.#socket = this.#up ? connect({ host: this.#host, port: this.#port, noDelay: true }) : new Socket().destroy(new Error('no line'))
    return this.#socket
  }

  set up(up: boolean) {
    if (this.#up && !up) this.#socket?.destroy()
    this.#up = up
  }

  get up(): boolean {
    return this.#up
  }
}
