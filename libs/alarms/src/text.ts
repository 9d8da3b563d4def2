import type { Millis, Verdict } from '#libs/model'
import { findParameter, MINUTE, VIETNAM_OFFSET } from '#libs/model'
import type { Alarm, AlarmTransition } from './alarm.js'
import type { Language, Standing, Words } from './words.js'
import { WORDS } from './words.js'

/** Names that people use; the station's code stands in where its name is missing. */
export interface AlarmNames {
  readonly station?: string
  /** Industrial zone, river or commune. */
  readonly zone?: string
  /** What the level is called, where it has a name: the rule's `severity`, such as `Báo động II`. */
  readonly severity?: string
}

export interface AlarmText {
  /** One line, the most important first: it is all that a lock screen shows. */
  readonly subject: string
  /** Plain text, lines separated by `\n`. */
  readonly body: string
}

interface Telling {
  readonly transition: AlarmTransition
  readonly words: Words
  readonly language: Language
  readonly names: AlarmNames
}

/** The message of a transition for somebody who is woken by it: what, where, since when, how bad, by which limit. Times in UTC+7. */
export function alarmText(transition: AlarmTransition, language: Language, names: AlarmNames = {}): AlarmText {
  const telling: Telling = { transition, words: WORDS[language], language, names }
  return transition.alarm.kind === 'silence' ? silenceText(telling) : limitText(telling)
}

function limitText(telling: Telling): AlarmText {
  const { transition, words, language, names } = telling
  const { alarm, kind } = transition
  const value = quantity(alarm.value, alarm.unit, language)
  const limit = `${words.limit} ${quantity(alarm.limit, alarm.unit, language)}`
  const what = `${parameterName(alarm, language)} ${words.standings[standingOf(alarm, alarm.severity)]}`
  const named = names.severity ? `${names.severity}: ` : ''
  const lines = [
    `${words.kinds[kind]}: ${named}${what}`,
    ...(kind === 'withdrawn' ? [words.notFound] : []),
    ...whereLines(telling),
    `${words.since}: ${moment(alarm.raisedAt, words)}`,
    ...(alarm.clearedAt === null || kind === 'withdrawn' ? [] : [`${words.until}: ${moment(alarm.clearedAt, words)}`]),
    `${words.worst}: ${value}; ${limit}`,
    ...(transition.level && alarm.clearedAt === null ? [`${words.now}: ${words.standings[standingOf(alarm, transition.level)]}`] : []),
    ...(alarm.source === null ? [] : [`${words.source}: ${alarm.source}`]),
    ...acknowledgementLines(telling),
    ...referenceLines(telling),
    '',
    words.disclaimer
  ]
  return {
    subject: `[${words.kinds[kind]}] ${named}${alarm.parameter ?? ''} ${value} (${limit}) – ${place(telling)}`,
    body: lines.join('\n')
  }
}

function silenceText(telling: Telling): AlarmText {
  const { transition, words, language } = telling
  const { alarm, kind } = transition
  const headline = kind === 'raised' ? words.noSignal : kind === 'cleared' ? words.signalBack : words.kinds[kind]
  const what = words.noDataFor(numeral(alarm.limit ?? 0, language))
  const lines = [
    `${headline}: ${what}`,
    ...(kind === 'withdrawn' ? [words.notFound] : []),
    ...whereLines(telling),
    `${words.lastHeard}: ${moment(alarm.raisedAt - (alarm.limit ?? 0) * MINUTE, words)}`,
    ...(alarm.clearedAt === null || kind === 'withdrawn' ? [] : [`${words.heardAgain}: ${moment(alarm.clearedAt, words)}`]),
    ...acknowledgementLines(telling),
    ...referenceLines(telling)
  ]
  return { subject: `[${headline}] ${place(telling)}: ${what}`, body: lines.join('\n') }
}

const place = ({ transition: { alarm }, names }: Telling): string => (names.station ? `${names.station} (${alarm.station})` : alarm.station)

function whereLines(telling: Telling): string[] {
  const { words, names } = telling
  return [`${words.station}: ${place(telling)}${names.zone ? `, ${names.zone}` : ''}`]
}

function acknowledgementLines({ transition: { alarm, kind }, words }: Telling): string[] {
  if (kind !== 'acknowledged' || alarm.acknowledgedBy === null || alarm.acknowledgedAt === null) return []
  const by = `${words.by}: ${alarm.acknowledgedBy}, ${moment(alarm.acknowledgedAt, words)}`
  return alarm.comment === null ? [by] : [by, `${words.comment}: ${alarm.comment}`]
}

const referenceLines = ({ transition: { alarm }, words }: Telling): string[] => [`${words.rule}: ${alarm.rule}`, `${words.id}: ${alarm.id}`]

/** `Nhu cầu oxy hóa học (COD)`; for pH the name and the symbol are the same. */
function parameterName({ parameter }: Alarm, language: Language): string {
  const known = findParameter(parameter ?? '')
  if (!known) return parameter ?? ''
  const name = language === 'vi' ? known.name : known.nameEn
  return name === known.code ? name : `${name} (${known.code})`
}

function standingOf({ value, limit }: Alarm, band: Verdict): Standing {
  if (band === 'tendency' || band === 'preparing') return band
  if (band !== 'exceeds' || value === null || limit === null) return 'within'
  return value > limit ? 'above' : value < limit ? 'below' : 'at'
}

function quantity(value: number | null, unit: string | null, language: Language): string {
  if (value === null) return '–'
  return unit === null || unit === '-' ? numeral(value, language) : `${numeral(value, language)} ${unitSign(unit)}`
}

const SIGNS: Readonly<Record<string, string>> = { oC: '°C', 'm3/h': 'm³/h' }
const unitSign = (unit: string): string => SIGNS[unit] ?? unit

/** At most six digits that count: `1.234,5` in Vietnamese, `1,234.5` in English. */
function numeral(value: number, language: Language): string {
  const [whole = '', fraction] = String(Number(value.toPrecision(6))).split('.')
  const [group, point] = language === 'vi' ? ['.', ','] : [',', '.']
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, group)
  return fraction === undefined ? grouped : `${grouped}${point}${fraction}`
}

/** `24/11/2026 10:05 (giờ Việt Nam)`. */
function moment(at: Millis, words: Words): string {
  const iso = new Date(at + VIETNAM_OFFSET).toISOString()
  const [year, month, day] = iso.slice(0, 10).split('-')
  return `${day}/${month}/${year} ${iso.slice(11, 16)} (${words.zone})`
}
