import { createHmac } from 'node:crypto'

/**
 * `t=<unix seconds>,v1=<hex HMAC-SHA-256 of "<t>.<body>">`, keyed with the whole text of the recipient's secret. The time
 * is signed too, so that a receiver can refuse an old message that somebody has recorded.
 */
export function sign(secret: string, body: string, seconds: number): string {
  const mac = createHmac('sha256', secret).update(`${seconds}.${body}`, 'utf8').digest('hex')
  return `t=${seconds},v1=${mac}`
}
