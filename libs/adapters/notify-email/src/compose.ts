import { createHash } from 'node:crypto'
import type { AlarmTransition, OutboxMessage } from '#libs/pipeline'

export type Language = 'vi' | 'en'
export type Texts = (transition: AlarmTransition, language: Language) => { readonly subject: string; readonly body: string }

export interface Mail {
  readonly subject: string
  readonly text: string
  readonly messageId: string
  readonly thread: string
  readonly language: string
}

/**
 * The mail of one transition. Its Message-ID comes from the key, so a mailbox sees that a repeat is one; all mails of an
 * alarm refer to one id (RFC 5322, 3.6.4) that stands for the alarm itself, so they are shown as one thread.
 */
export function compose(
  message: OutboxMessage,
  languages: readonly Language[],
  more: { readonly text: Texts; readonly domain: string }
): Mail {
  const { transition } = message
  const texts = languages.map(language => more.text(transition, language))
  return {
    subject: oneLine(texts.map(({ subject }) => subject).join(' / ')),
    text: texts.map(({ body }) => body).join('\n\n––––––––––\n\n'),
    messageId: `<${digest(message.key)}@${more.domain}>`,
    thread: `<alarm.${digest(transition.alarm.id)}@${more.domain}>`,
    language: languages.join(', ')
  }
}

/** 128 bits in characters that any header can hold. */
const digest = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex').slice(0, 32)

const SUBJECT_CHARACTERS = 250

/** Nothing in a subject may begin another header. */
const oneLine = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
    .slice(0, SUBJECT_CHARACTERS)

/** The host of `name@host` or `Name <name@host>`. */
export const domainOf = (from: string): string =>
  from
    .slice(from.lastIndexOf('@') + 1)
    .replace('>', '')
    .toLowerCase()
