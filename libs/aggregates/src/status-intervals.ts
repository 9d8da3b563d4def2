import type { Millis, Reading, SensorStatus } from '#libs/model'
import { CALIBRATING, DEVICE_FAULT } from '#libs/model'

/** A stretch of time in which a series was calibrated (01) or at fault (02): its readings are out of the statistics. */
export interface StatusInterval {
  readonly status: SensorStatus
  /** Instant of the first reading with the status. */
  readonly start: Millis
  /** Instant of the next reading with another status; where none came for three intervals, three intervals after the last one. */
  readonly end: Millis
  readonly readings: number
}

/** As many missing readings end an interval: nobody knows any more what the instrument does. */
export const MISSING = 3

/** An interval that is not over yet, as far as it was looked at. */
export interface RunningInterval extends StatusInterval {
  readonly last: Millis
}

type StatusSample = Pick<Reading, 'at' | 'status' | 'flags'>

/**
 * The next reading of a series in time: what runs after it, and what it has ended. A function of the set of readings, whose instants
 * differ. `every`: time between two readings, by the station's setting. A reading of a clock that ran ahead says nothing here.
 */
export function nextStatus(
  running: RunningInterval | null,
  { at, status, flags }: StatusSample,
  every: Millis
): { readonly running: RunningInterval | null; readonly ended: StatusInterval | null } {
  if (flags.includes('clock-ahead')) return { running, ended: null }
  const silent = at + MISSING * every
  if (running && running.status === status && at <= running.end)
    return { running: { ...running, end: silent, last: at, readings: running.readings + 1 }, ended: null }
  const next = status === CALIBRATING || status === DEVICE_FAULT ? { status, start: at, end: silent, last: at, readings: 1 } : null
  return { running: next, ended: running && endedAt(running, Math.min(at, running.end)) }
}

/** An interval that no reading has ended: over when its silence is. */
export const endedAt = ({ status, start, readings }: RunningInterval, end: Millis): StatusInterval => ({ status, start, end, readings })
