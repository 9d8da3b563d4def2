import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A network between a program and a server that can be cut, and mended. */
export class Network {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #isCut = false

  private constructor(server: Server) {
    this.#server = server
  }

  /** The same URL by way of it. */
  static async before(url: string): Promise<{ network: Network; url: string }> {
    const { hostname, port } = new URL(url)
    const server = createServer(near => network.#join(near, connect(Number(port), hostname)))
    const network = new Network(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const by = new URL(url)
    by.port = String((server.address() as AddressInfo).port)
    return { network, url: by.href }
  }

  cut(): void {
    this.#isCut = true
    for (const socket of this.#sockets) socket.destroy()
  }

  mend(): void {
    this.#isCut = false
  }

  close(): void {
    this.cut()
    this.#server.close()
  }

  #join(near: Socket, far: Socket): void {
    for (const [one, other] of [
      [near, far],
      [far, near]
    ] as const) {
      this.#sockets.add(one)
      one
        .on('error', () => {})
        .on('close', () => {
          this.#sockets.delete(one)
          other.destroy()
        })
    }
    if (this.#isCut) near.destroy()
    else near.pipe(far).pipe(near)
  }
}
