import { MINUTE, type Millis, SECOND } from '#libs/model'
import { readingsTopic } from '#libs/wire'
import { type MessageShape, publishFrame, type Qos, writeNumber } from '../../mqtt-benchmark-ts/src/index.js'

/** The limit that the proof's own rule sets for COD, in mg/L. */
export const COD_LIMIT = 100
const COD_USUAL = 40
const COD_HIGH = 120
/** Every fifth station exceeds the limit in the last six of each 120 messages, so that alarms are raised and cleared all the time. */
const ALARMING = 5
const PERIOD = 120
const HIGH_FOR = 6

/** The numbers' instants begin so long ago that no proof's numbers reach the present: seven days hold 604,800 of them. */
export const REACH: Millis = 7 * 24 * 60 * MINUTE

export const PARAMETERS = ['Flow', 'COD'] as const

/** One station of the proof and what its message number n says: instant, Flow = n, COD = a function of n. */
export interface Numbered {
  readonly station: string
  readonly index: number
  /** Instant of number 0. */
  readonly base: Millis
}

export const instantOf = ({ base }: Numbered, number: number): Millis => base + number * SECOND
export const numberAt = ({ base }: Numbered, at: Millis): number => (at - base) / SECOND

const isAlarming = ({ index }: Numbered): boolean => index % ALARMING === 0

export function codOf(numbered: Numbered, number: number): number {
  return isAlarming(numbered) && number % PERIOD >= PERIOD - HIGH_FOR ? COD_HIGH : COD_USUAL
}

/** How often the alarm has been raised by messages 0 … count - 1: at the second high reading of each period (2 of 3). */
export function raisesUpTo(numbered: Numbered, count: number): number {
  return isAlarming(numbered) ? Math.floor((count + HIGH_FOR - 2) / PERIOD) : 0
}

/** The value that a parameter has in message `number`. */
export const valueIn = (numbered: Numbered, parameter: (typeof PARAMETERS)[number], number: number): number =>
  parameter === 'Flow' ? number : codOf(numbered, number)

/** A message with every number in a place of its own, patched in place. */
export function numberedShape(numbered: Numbered, qos: Qos): MessageShape {
  const at = '0'.repeat(13)
  const flow = '0'.padStart(7)
  const text = `{"at":${at},"readings":{"Flow":${flow},"COD":{"value":${'0'.padStart(3)},"unit":"mg/L","status":"00"}}}`
  const [atOffset, flowOffset, codOffset] = [text.indexOf(at), text.indexOf(flow), text.indexOf('"value":') + 8]
  return {
    frame: publishFrame(readingsTopic(numbered.station), Buffer.from(text), qos),
    patch(bytes, payloadAt, number) {
      writeNumber(bytes, payloadAt + atOffset, 13, instantOf(numbered, number))
      writeNumber(bytes, payloadAt + flowOffset, 7, number)
      writeNumber(bytes, payloadAt + codOffset, 3, codOf(numbered, number))
    }
  }
}
