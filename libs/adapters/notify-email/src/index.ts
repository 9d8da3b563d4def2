export type { Language, Texts } from './compose.js'
export { parseSmtp, SmtpConfig, SmtpConfigError } from './config.js'
export type { EmailOptions } from './email-notifier.js'
export { EmailNotifier } from './email-notifier.js'
