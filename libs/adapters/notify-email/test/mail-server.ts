import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { type Mail, parseMail } from './parse-mail.js'

export interface Delivered extends Mail {
  readonly from: string
  readonly to: readonly string[]
  readonly isEncrypted: boolean
  readonly user: unknown
}

/** A mail server on a port of its own that keeps what it is sent; `options` make it refuse. */
export class MailServer {
  readonly mails: Delivered[] = []
  readonly #server: SMTPServer

  private constructor(options: SMTPServerOptions) {
    this.#server = new SMTPServer({
      authOptional: true,
      logger: false,
      disableReverseLookup: true,
      closeTimeout: 5_000,
      onData: (stream, { envelope, secure, user }, done) => {
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('end', () => {
          const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address
          const to = envelope.rcptTo.map(({ address }) => address)
          this.mails.push({ from, to, isEncrypted: secure, user, ...parseMail(Buffer.concat(chunks)) })
          done(null)
        })
      },
      ...options
    })
    this.#server.on('error', () => undefined) // a client that hangs up
  }

  static async start(options: SMTPServerOptions = {}): Promise<MailServer> {
    const server = new MailServer(options)
    await new Promise<void>(resolve => server.#server.listen(0, '127.0.0.1', resolve))
    return server
  }

  get port(): number {
    return (this.#server.server.address() as AddressInfo).port
  }

  get connections(): number {
    return this.#server.connections.size
  }

  stop(): Promise<void> {
    return new Promise(resolve => this.#server.close(() => resolve()))
  }
}

/** A refusal with its code, as the server's hooks give it. */
export const refusal = (responseCode: number, message: string): Error => Object.assign(new Error(message), { responseCode })
