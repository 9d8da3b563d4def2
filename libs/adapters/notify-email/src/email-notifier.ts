import { isIPv4 } from 'node:net'
import { createTransport, type Transporter } from 'nodemailer'
import { SECOND } from '#libs/model'
import type { Clock, Delivery, Notifier, OutboxMessage } from '#libs/pipeline'
import { compose, domainOf, type Language, type Mail, type Texts } from './compose.js'
import { parseSmtp, type SmtpConfig } from './config.js'

export interface EmailOptions {
  /** The server, as parsed or as an address of the form `smtp://user:password@host:port`. */
  readonly smtp: SmtpConfig | { readonly url: string; readonly from: string }
  /** The recipient's language; null for both in one message. */
  readonly languageOf: (target: string) => Promise<Language | null>
  readonly text: Texts
  readonly clock?: Clock
}

/** Bounds of one conversation beside the delivery's own time-out, so that no socket outlives it by much. */
const PHASE_MS = 10 * SECOND
/** How long a server that never closes its side may keep a connection that we have ended. */
const CLOSE_MS = SECOND
const BOTH: readonly Language[] = ['vi', 'en']
/** One plain address; no list, no name, nothing that could break a line. */
const ADDRESS = /^[^\s<>@,;:"()[\]\\\p{Cc}]+@[^\s<>@,;:"()\\\p{Cc}]+$/u
/** A refusal in answer to these is about this message; before them it is about the server or how we are set up for it. */
const ABOUT_THE_MESSAGE = /^(?:MAIL FROM|RCPT TO|DATA|BDAT)/

/** Sends transitions as plain-text mail, one message each. Opens a connection for each message, alarms being rare, and closes it before `deliver` ends: nothing to close afterwards. */
export class EmailNotifier implements Notifier {
  readonly channel = 'email'
  readonly #options: EmailOptions
  readonly #from: string
  readonly #transport: Transporter
  readonly #clock: Clock

  /** Opens nothing. @throws SmtpConfigError QT_SMTP_CONFIG_INVALID */
  constructor(options: EmailOptions) {
    const config = 'url' in options.smtp ? parseSmtp(options.smtp) : options.smtp
    this.#options = options
    this.#from = config.from
    this.#transport = createTransport(toTransport(config))
    this.#clock = options.clock ?? Date.now
  }

  async deliver(message: OutboxMessage, signal: AbortSignal): Promise<Delivery> {
    if (!ADDRESS.test(message.target)) return { outcome: 'rejected', reason: 'not one plain mail address' }
    const language = await this.#options.languageOf(message.target)
    const mail = compose(message, language === null ? BOTH : [language], { text: this.#options.text, domain: domainOf(this.#from) })
    try {
      await this.#transport.sendMail(this.#toMail(message.target, mail, signal))
      return { outcome: 'delivered' }
    } catch (error) {
      return signal.aborted ? { outcome: 'retry', reason: 'no answer in time' } : judge(error)
    }
  }

  #toMail(target: string, mail: Mail, signal: AbortSignal) {
    return {
      from: this.#from,
      // As an object: a text would be read as a list of addresses.
      to: { name: '', address: target },
      subject: mail.subject,
      text: mail.text,
      messageId: mail.messageId,
      inReplyTo: mail.thread,
      references: mail.thread,
      date: new Date(this.#clock()),
      // RFC 3834: no holiday notes in answer.
      headers: { 'Auto-Submitted': 'auto-generated', 'Content-Language': mail.language },
      disableFileAccess: true,
      disableUrlAccess: true,
      signal
    }
  }
}

function toTransport(config: SmtpConfig) {
  const { host, port, secure, user, password } = config
  const isLocal = isLoopback(host)
  return {
    host,
    port,
    secure,
    // A password never crosses a network in the clear, not even when somebody hides the server's offer of STARTTLS.
    requireTLS: user !== undefined && !secure && !isLocal,
    // A server on this machine shows a certificate of its own making, and nobody stands between it and us.
    tls: { rejectUnauthorized: !isLocal },
    connectionTimeout: PHASE_MS,
    greetingTimeout: PHASE_MS,
    socketTimeout: PHASE_MS,
    socketCloseTimeout: CLOSE_MS,
    ...(user === undefined ? {} : { auth: { user, pass: password ?? '' } })
  }
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))

/** What nodemailer tells of a failure: the server's code, and the command that it answered. */
interface SmtpFailure {
  readonly responseCode?: number
  readonly command?: string
  readonly message: string
}

/** Log in first, or log in otherwise (RFC 4954, 6), whichever command it answers. */
const ABOUT_LOGGING_IN = new Set([530, 534, 535, 538])

/**
 * A 5xx to the message is final (RFC 5321, 4.2.1). A 5xx before it, such as a wrong password, is ours to mend: the message
 * waits. 4xx and everything about the network is tried again.
 */
function judge(error: unknown): Delivery {
  const { responseCode, command, message }: SmtpFailure = error instanceof Error ? error : { message: String(error) }
  const reason = message.replace(/[\p{Cc}\s]+/gu, ' ').slice(0, 300)
  const isPermanent = responseCode !== undefined && responseCode >= 500 && !ABOUT_LOGGING_IN.has(responseCode)
  const isFinal = isPermanent && ABOUT_THE_MESSAGE.test(command ?? '')
  return isFinal ? { outcome: 'rejected', reason } : { outcome: 'retry', reason }
}
