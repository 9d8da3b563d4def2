import { codeOf, DAY, formatInstant, type Millis, messageOf, SECOND } from '#libs/model'
import type { TlsFiles } from './config.js'
import { CodedError } from './errors.js'
import type { Logger } from './logger.js'
import { checkTls, readTlsFiles, type SecureOptions, secureOptions, type TlsMaterial } from './tls-material.js'

export interface TlsOptions {
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>
  readonly now: () => Millis
  /** How often the files are looked at. Three small files are read: cheaper than to trust a notice of the file system. */
  readonly everyMs?: number
}

const EVERY_MS = 2 * SECOND
/** Let's Encrypt renews a certificate of 90 days when 30 are left: with 21 left its renewal has failed for nine days. */
const WARN_BEFORE_MS = 21 * DAY

/**
 * The certificates of the encrypted listeners, read again when their files change in whatever way: written over, renamed, behind
 * a symbolic link that was turned. Files that do not fit together are left alone and the ones in use stay, since a renewal writes
 * its files one after the other; they are complained of when they are found unchanged at the next look.
 */
export class TlsCertificates {
  readonly #files: TlsFiles
  readonly #options: TlsOptions
  readonly #takers = new Set<(options: SecureOptions) => void>()
  readonly #timer: NodeJS.Timeout
  #current: TlsMaterial
  /** What could not be used at the last look, and whether it has been told. */
  #refused: { digest: string; told: boolean } | null = null
  #looking: Promise<void> | null = null
  #nextReminder: Millis = 0

  private constructor(files: TlsFiles, material: TlsMaterial, options: TlsOptions) {
    this.#files = files
    this.#options = options
    this.#current = material
    this.#timer = setInterval(() => void this.look(), options.everyMs ?? EVERY_MS).unref()
    this.#remind()
  }

  /**
   * An expired certificate is taken and complained of: stations that do not look at dates go on, and so do the other listeners.
   * @throws CodedError QT_TLS_UNREADABLE, QT_TLS_INVALID, QT_TLS_KEY_MISMATCH
   */
  static async open(files: TlsFiles, options: TlsOptions): Promise<TlsCertificates> {
    return new TlsCertificates(files, checkTls(await readTlsFiles(files), files), options)
  }

  get secureOptions(): SecureOptions {
    return secureOptions(this.#current)
  }

  /** Whether clients are asked for a certificate. */
  get asksClients(): boolean {
    return this.#files.clientCa !== null
  }

  /** Serial number of the certificate in use, hexadecimal. */
  get serial(): string {
    return this.#current.serial
  }

  /** Whether the files on the disk are not the ones in use, because they cannot be used. */
  get filesRefused(): boolean {
    return this.#refused?.told === true
  }

  /** Time until each certificate ends, in milliseconds; negative when it has. */
  remaining(): readonly { readonly certificate: string; readonly ms: Millis }[] {
    return this.#current.expiries.map(({ certificate, at }) => ({ certificate, ms: at - this.#options.now() }))
  }

  /** Calls `take` with each new set. Returns what ends that. */
  onChange(take: (options: SecureOptions) => void): () => void {
    this.#takers.add(take)
    return () => this.#takers.delete(take)
  }

  /** Looks at the files once; the timer does it too. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null
    })
    return this.#looking
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#takers.clear()
    await this.#looking
  }

  async #look(): Promise<void> {
    let digest = 'unreadable'
    try {
      const bytes = await readTlsFiles(this.#files)
      digest = bytes.digest
      if (digest === this.#current.digest) this.#settled()
      else if (digest !== this.#refused?.digest || !this.#refused.told) this.#take(this.#notExpired(checkTls(bytes, this.#files)))
    } catch (error) {
      this.#refuse(digest, error)
    }
    if (this.#options.now() >= this.#nextReminder) this.#remind()
  }

  /** The files are those in use: nothing is wrong any more. */
  #settled(): void {
    if (this.#refused?.told) this.#options.log.info({ serial: this.serial }, 'TLS: the certificate files are those in use again')
    this.#refused = null
  }

  #take(material: TlsMaterial): void {
    for (const take of this.#takers) take(secureOptions(material))
    this.#current = material
    this.#refused = null
    const until = formatInstant(material.expiries[0]?.at ?? 0)
    this.#options.log.info({ serial: material.serial, until }, `TLS: new certificates are in use, valid until ${until}`)
    this.#remind()
  }

  #refuse(digest: string, error: unknown): void {
    const again = this.#refused?.digest === digest
    if (again && !this.#refused?.told) {
      this.#options.log.error(
        { code: codeOf(error) },
        `TLS: the changed certificate files cannot be used, the old ones stay: ${messageOf(error)}`
      )
    }
    this.#refused = { digest, told: again }
  }

  /** An old file put back by mistake does not replace a certificate that is still good. */
  #notExpired(material: TlsMaterial): TlsMaterial {
    const now = this.#options.now()
    const end = (of: TlsMaterial) => of.expiries[0]?.at ?? 0
    if (end(material) > now || end(this.#current) <= now) return material
    throw new CodedError('QT_TLS_EXPIRED', `the certificate in ${this.#files.cert} ended ${formatInstant(end(material))}`)
  }

  /** Once a day, from 21 days before. */
  #remind(): void {
    const now = this.#options.now()
    this.#nextReminder = now + DAY
    for (const { certificate, at } of this.#current.expiries) {
      const path = certificate === 'server' ? this.#files.cert : this.#files.clientCa
      const when = formatInstant(at)
      if (at <= now) this.#options.log.error({ code: 'QT_TLS_EXPIRED', until: when }, `TLS: the certificate in ${path} ended ${when}`)
      else if (at - now < WARN_BEFORE_MS) {
        const days = Math.floor((at - now) / DAY)
        this.#options.log.warn(
          { code: 'QT_TLS_EXPIRES_SOON', until: when },
          `TLS: the certificate in ${path} ends in ${days} days, ${when}`
        )
      }
    }
  }
}
