import { STATION_CODE } from '#libs/model'

/** Every topic of the product begins with it (design, section 6). */
export const TOPIC_ROOT = 'quantrac/v1'

export const readingsTopic = (station: string): string => `${TOPIC_ROOT}/${station}/readings`
export const statusTopic = (station: string): string => `${TOPIC_ROOT}/${station}/status`
export const commandsTopic = (station: string): string => `${TOPIC_ROOT}/${station}/commands`
export const replyTopic = (station: string): string => `${TOPIC_ROOT}/${station}/commands/reply`
export const alarmsTopic = (station: string): string => `${TOPIC_ROOT}/alarms/${station}`

export type TopicKind = 'readings' | 'status' | 'commands' | 'reply' | 'alarms'

export interface Topic {
  readonly kind: TopicKind
  readonly station: string
}

const KINDS: Readonly<Record<string, TopicKind>> = {
  readings: 'readings',
  status: 'status',
  commands: 'commands',
  'commands/reply': 'reply'
}

/** What a topic is about (design, section 6), or undefined for one that is not ours or whose station code is malformed. */
export function parseTopic(topic: string): Topic | undefined {
  if (!topic.startsWith(`${TOPIC_ROOT}/`)) return undefined
  const slash = topic.indexOf('/', TOPIC_ROOT.length + 1)
  const first = topic.slice(TOPIC_ROOT.length + 1, slash)
  const rest = topic.slice(slash + 1)
  if (slash < 0) return undefined
  // A station's code has capital letters only, so no station can be called `alarms`.
  if (first === 'alarms') return STATION_CODE.test(rest) ? { kind: 'alarms', station: rest } : undefined
  const kind = Object.hasOwn(KINDS, rest) ? KINDS[rest] : undefined
  return kind && STATION_CODE.test(first) ? { kind, station: first } : undefined
}
