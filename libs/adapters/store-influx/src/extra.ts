import type { FlagReason, Road } from '#libs/model'
import type { StoredReading } from '#libs/pipeline'
import { numberText } from './line-text.js'
import { USUAL, usualUnit } from './usual.js'

/** What few readings have: the field `extra` of a point, JSON. */
export interface Extra {
  readonly unit?: string
  readonly road?: Road
  readonly flags?: readonly FlagReason[]
  readonly reported?: { readonly value: number; readonly unit: string }
}

/** Empty where everything is usual. */
export function extraOf(reading: StoredReading): string {
  const { unit, road, flags, reported } = reading
  if (road === USUAL.road && flags.length === 0 && !reported && unit === usualUnit(reading.parameter)) return ''
  const members: string[] = []
  if (unit !== usualUnit(reading.parameter)) members.push(`"unit":${JSON.stringify(unit)}`)
  if (road !== USUAL.road) members.push(`"road":${JSON.stringify(road)}`)
  if (flags.length > 0) members.push(`"flags":${JSON.stringify(flags)}`)
  // JSON.stringify would make a zero of a negative one.
  if (reported) members.push(`"reported":{"value":${numberText(reported.value)},"unit":${JSON.stringify(reported.unit)}}`)
  return `{${members.join(',')}}`
}

const NOTHING: Extra = Object.freeze({})
const KEPT = 1_000
const read = new Map<string, Extra>()

/** Readers share what comes again and again: the same flags and road. Throws a SyntaxError for what is no JSON. */
export function parseExtra(text: string): Extra {
  if (text === '') return NOTHING
  const known = read.get(text)
  if (known) return known
  const extra = JSON.parse(text) as Extra
  if (extra.flags) Object.freeze(extra.flags)
  if (extra.reported) return extra
  if (read.size >= KEPT) read.clear()
  read.set(text, extra)
  return extra
}
