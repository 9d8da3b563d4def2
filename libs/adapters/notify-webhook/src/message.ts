import { formatInstant, type Millis } from '#libs/model'
import type { AlarmTransition, OutboxMessage } from '#libs/pipeline'

export type Texts = (transition: AlarmTransition, language: 'vi' | 'en') => { readonly subject: string; readonly body: string }

const instant = (at: Millis | null): string | null => (at === null ? null : formatInstant(at))

/** The JSON that is posted. `id` is the idempotency key: the same for every sending of this message, `sentAt` is not. */
export function toJson(message: OutboxMessage, text: Texts, now: Millis): string {
  const { id, kind, at, alarm, ...more } = message.transition
  const { raisedAt, clearedAt, acknowledgedAt } = alarm
  const times = { raisedAt: formatInstant(raisedAt), clearedAt: instant(clearedAt), acknowledgedAt: instant(acknowledgedAt) }
  return JSON.stringify({
    id: message.key,
    type: `alarm.${kind}`,
    sentAt: formatInstant(now),
    transition: { id, kind, at: formatInstant(at), ...more },
    alarm: { ...alarm, ...times },
    text: { vi: text(message.transition, 'vi'), en: text(message.transition, 'en') }
  })
}
