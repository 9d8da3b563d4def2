import { z } from 'zod'

const NO_BREAK = /^[^\p{Cc}]*$/u
/** `name@host` or `Name <name@host>`: one address, nothing that could break a header. */
const SENDER = /^(?:[^<>@,;"\p{Cc}]+ <)?[^\s<>@,;"()]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?>?$/u

const isSender = (text: string): boolean => SENDER.test(text) && text.includes('<') === text.endsWith('>')

/** An SMTP server, and who the messages are from. */
export const SmtpConfig = z
  .strictObject({
    host: z
      .string()
      .min(1)
      .max(255)
      .regex(/^[A-Za-z0-9.:_-]+$/, 'a host name or address'),
    /** 465 with TLS from the start, else 587 (RFC 8314, 3.3; RFC 6409). */
    port: z.number().int().min(1).max(65_535).optional(),
    /** TLS from the start. Without it the connection is upgraded (STARTTLS) where the server offers that. */
    secure: z.boolean().default(false),
    user: z.string().min(1).max(256).regex(NO_BREAK).optional(),
    password: z.string().min(1).max(1_024).optional(),
    from: z.string().min(3).max(254).refine(isSender, 'an address, or Name <address>')
  })
  .refine(config => (config.user === undefined) === (config.password === undefined), 'user and password go together')
  .transform(config => ({ ...config, port: config.port ?? (config.secure ? 465 : 587) }))
  .readonly()
export type SmtpConfig = z.infer<typeof SmtpConfig>

export class SmtpConfigError extends Error {
  override readonly name = 'SmtpConfigError'
  readonly code = 'QT_SMTP_CONFIG_INVALID'
}

/**
 * Reads `smtp://user:password@host:port` (upgraded with STARTTLS where offered) or `smtps://…` (TLS from the start).
 * @throws SmtpConfigError naming every problem; never the password.
 */
export function parseSmtp(smtp: { readonly url: string; readonly from: string }): SmtpConfig {
  const parsed = SmtpConfig.safeParse({ ...fromUrl(smtp.url), from: smtp.from })
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message))
  throw new SmtpConfigError(`the mail server cannot be used: ${problems.join('; ')}`)
}

function fromUrl(text: string): Record<string, unknown> {
  const url = URL.canParse(text) ? new URL(text) : null
  if (!url || !/^smtps?:$/.test(url.protocol)) throw new SmtpConfigError('the mail server is written smtp://host:port or smtps://host:port')
  if (url.search !== '' || url.hash !== '' || (url.pathname !== '' && url.pathname !== '/')) {
    throw new SmtpConfigError('nothing follows the host and port of the mail server')
  }
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    secure: url.protocol === 'smtps:',
    ...(url.port === '' ? {} : { port: Number(url.port) }),
    ...(url.username === '' ? {} : { user: decode(url.username) }),
    ...(url.password === '' ? {} : { password: decode(url.password) })
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new SmtpConfigError('write a % in the user name or password as %25')
  }
}
