import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Authority, Issued, Validity } from '#libs/adapters/tls'
import { DAY } from '#libs/model'

/** Paths of one certificate and its key. */
export interface PairFiles {
  readonly cert: string
  readonly key: string
}

/** From `fromDays` to `untilDays`, counted from now; negative is the past. */
export function validFor(untilDays: number, fromDays = -1): Validity {
  const day = (days: number) => new Date(Date.now() + days * DAY)
  return { notBefore: day(Math.min(fromDays, untilDays - 1)), notAfter: day(untilDays) }
}

/** An authority with a folder of files as an operator has them: `ca.pem`, `server.pem`, `server-key.pem`, and clients'. */
export class TestCertificates {
  readonly #dir: string
  readonly #authority: Authority

  private constructor(dir: string, authority: Authority) {
    this.#dir = dir
    this.#authority = authority
  }

  /** Makes the folder with an authority and a server's certificate for this machine. */
  static async in(dir: string, { days = 90, name = 'test authority' } = {}): Promise<TestCertificates> {
    await mkdir(dir, { recursive: true })
    const { Authority } = await import('#libs/adapters/tls') // half a second that specs without certificates need not wait for
    const made = new TestCertificates(dir, await Authority.create(name, validFor(3650)))
    await writeFile(made.ca, made.#authority.pem.cert)
    await made.renew(days)
    return made
  }

  get ca(): string {
    return join(this.#dir, 'ca.pem')
  }

  get server(): PairFiles {
    return { cert: join(this.#dir, 'server.pem'), key: join(this.#dir, 'server-key.pem') }
  }

  /** A fresh server's certificate, not written anywhere. */
  issue(days = 90): Promise<Issued> {
    return this.#authority.server(['localhost', '127.0.0.1'], validFor(days))
  }

  /** A fresh server's certificate takes the place of the old one, each file by renaming, as ACME clients do. */
  async renew(days = 90): Promise<Issued> {
    const made = await this.issue(days)
    for (const [path, text] of [
      [this.server.cert, made.cert],
      [this.server.key, made.key]
    ] as const) {
      await writeFile(`${path}.new`, text)
      await rename(`${path}.new`, path)
    }
    return made
  }

  /** A client's certificate, for example of a station; `untilDays` in the past makes an expired one. */
  async client(name: string, untilDays = 30): Promise<PairFiles> {
    const made = await this.#authority.client(name, validFor(untilDays))
    const path = (part: string) => join(this.#dir, `${name}${untilDays < 0 ? '-expired' : ''}${part}.pem`)
    const files = { cert: path(''), key: path('-key') }
    await writeFile(files.cert, made.cert)
    await writeFile(files.key, made.key)
    return files
  }
}
