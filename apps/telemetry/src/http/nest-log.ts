import type { LoggerService } from '@nestjs/common'
import type { Logger } from '#libs/platform'

/** Nest's own messages in our log: its chatter at debug, its troubles as they are. */
export class NestLog implements LoggerService {
  readonly #log: Logger

  constructor(log: Logger) {
    this.#log = log
  }

  log(message: unknown): void {
    this.#log.debug({ from: 'nest' }, String(message))
  }

  debug(message: unknown): void {
    this.#log.debug({ from: 'nest' }, String(message))
  }

  warn(message: unknown): void {
    this.#log.warn({ from: 'nest' }, String(message))
  }

  error(message: unknown): void {
    this.#log.error({ from: 'nest', code: 'QT_UNEXPECTED' }, String(message))
  }
}
