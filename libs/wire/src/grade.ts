import type { Flag, FlagReason, Millis } from '#libs/model'
import { CALIBRATING, CLOCK_TOLERANCE, DEVICE_FAULT, FLAG_REASONS, MEASURING } from '#libs/model'
import type { Given } from './decoders/dialect.js'
import type { CompiledParameter } from './profile.js'

export interface Grade {
  readonly flag: Flag
  readonly flags: readonly FlagReason[]
}

export interface Graded {
  readonly parameter: CompiledParameter
  /** In the parameter's unit. */
  readonly value: number
  readonly at: Millis
  readonly receivedAt: Millis
  /** Two digits, or undefined where none was sent. */
  readonly status: string | undefined
  /** What was sent, where it had to be converted. */
  readonly reported: Given | undefined
}

const CLOCK_AHEAD = bit('clock-ahead')
const ASSUMED = bit('status-assumed')
const CONVERTED = bit('unit-converted')

/**
 * Flag of one reading by itself (regulations.md 7.1: 4 over 3 over 1): outside what the parameter can be or the sensor can
 * measure = fail (QARTOD gross range); a status other than 00 = fail, whatever the value; a clock ahead = suspect.
 */
export function grade({ parameter, value, at, receivedAt, status, reported }: Graded): Grade {
  const failure = failureOf(parameter, value, status ?? MEASURING)
  const ahead = at > receivedAt + CLOCK_TOLERANCE
  const bits = failure | (ahead ? CLOCK_AHEAD : 0) | (status === undefined ? ASSUMED : 0) | (reported ? CONVERTED : 0)
  return { flag: failure ? 4 : ahead ? 3 : 1, flags: REASONS[bits] as readonly FlagReason[] }
}

const OUT_OF_RANGE = bit('out-of-range')
const CALIBRATION = bit('calibration')
const FAULT = bit('device-fault')
const OTHER = bit('status-other')

/** The bit of what makes the reading fail, or 0. A calibrating sensor leaves its range on purpose, so its value is not judged. */
function failureOf({ valid }: CompiledParameter, value: number, status: string): number {
  if (status === MEASURING) return value >= valid.min && value <= valid.max ? 0 : OUT_OF_RANGE
  if (status === CALIBRATING) return CALIBRATION
  return status === DEVICE_FAULT ? FAULT : OTHER
}

function bit(reason: FlagReason): number {
  return 1 << FLAG_REASONS.indexOf(reason)
}

/** Every set of reasons, made once: a reading carries one of them and none is ever changed. */
const REASONS: readonly (readonly FlagReason[])[] = Array.from({ length: 1 << FLAG_REASONS.length }, (_, bits) =>
  Object.freeze(FLAG_REASONS.filter(reason => bits & bit(reason)))
)
