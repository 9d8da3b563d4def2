import { pino } from 'pino'

/** What the product needs of a logger: fields first, then a sentence. The same shape as the pipeline's `Log`. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly format: 'json' | 'text'
}

/** Fields that may never be written, wherever they turn up. */
const SECRET_FIELDS = ['secret', 'password', 'token', 'authorization', '*.secret', '*.password', '*.token', '*.authorization']

/** A logger of JSON lines (machines) or of plain text (a person at a terminal), on standard output. */
export function openLogger(options: LogOptions, part: string): Logger {
  if (options.format === 'text') return textLogger(options.level, part)
  return pino(
    { level: options.level, base: { part }, redact: { paths: SECRET_FIELDS, censor: '[secret]' } },
    pino.destination({ fd: 1, sync: false })
  )
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

function textLogger(level: LogOptions['level'], part: string): Logger {
  const threshold = LEVELS.indexOf(level)
  const write = (at: (typeof LEVELS)[number]) => (fields: object, message: string) => {
    if (LEVELS.indexOf(at) < threshold) return
    const time = new Date().toISOString().slice(11, 19)
    const code = 'code' in fields ? ` [${String(fields.code)}]` : ''
    process.stdout.write(`${time} ${at === 'info' ? '' : `${at.toUpperCase()} `}${part}: ${message}${code}\n`)
  }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}
