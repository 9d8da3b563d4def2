import type { Millis, Road } from '#libs/model'
import { DAY } from '#libs/model'
import type { OutcomeDay, ReceiptDay, StationDay } from './ledger-ports.js'

/** What one station's day is told as. Readings unless it says messages. */
export interface LedgerLine extends StationDay {
  /** By day of receipt, as is everything outside `measured`. */
  readonly messages: Readonly<Record<Road, number>> & { readonly refused: number; readonly repeated: number }
  readonly received: number
  readonly byRoad: Readonly<Record<Road, number>>
  readonly stored: number
  readonly replaced: number
  readonly duplicate: number
  readonly conflicting: number
  readonly setAside: number
  readonly refused: number
  readonly refusedBy: ReceiptDay['refused']
  /** In the journal, and the store has not taken it yet. */
  readonly open: number
  /** Of those stored. */
  readonly late: number
  /** Of those stored or replaced. */
  readonly clockAhead: number
  /** By day of measurement. */
  readonly measured: MeasuredLine
}

export interface MeasuredLine {
  /** Null for a station that the registry does not know. */
  readonly expected: number | null
  readonly stored: number
  readonly missing: number | null
  readonly late: number
  readonly calibrating: number
  readonly fault: number
  readonly otherStatus: number
}

export interface LineSources {
  readonly station: string
  readonly day: Millis
  readonly receipts: ReceiptDay | undefined
  readonly outcomes: Omit<OutcomeDay, 'station' | 'day'> | undefined
  readonly measured: Omit<MeasuredLine, 'expected' | 'missing'> | undefined
  readonly expected: number | null
}

const ROADS: readonly Road[] = ['mqtt', 'http', 'file']
const NO_ROAD = { mqtt: 0, http: 0, file: 0 }
const NO_OUTCOMES = { stored: 0, replaced: 0, repeated: 0, conflicts: 0, setAside: 0, late: 0, clockAhead: 0 }
const NOT_MEASURED = { stored: 0, late: 0, calibrating: 0, fault: 0, otherStatus: 0 }

/**
 * The line of a station and day. `open` is what came in less everything that is accounted for: it is what the store has still to take,
 * since both accounts are kept by themselves, and it is zero when the store has taken all.
 */
export function ledgerLine({ station, day, receipts, outcomes = NO_OUTCOMES, measured = NOT_MEASURED, expected }: LineSources): LedgerLine {
  const byRoad = receipts?.received ?? NO_ROAD
  const received = ROADS.reduce((sum, road) => sum + byRoad[road], 0)
  const refusedBy = receipts?.refused ?? {}
  const refused = Object.values(refusedBy).reduce((sum, count) => sum + count, 0)
  const duplicate = outcomes.repeated + (receipts?.repeated ?? 0)
  const { stored, replaced, conflicts, setAside, late, clockAhead } = outcomes
  return {
    station,
    day,
    messages: { ...(receipts?.messages ?? NO_ROAD), refused: receipts?.refusedMessages ?? 0, repeated: receipts?.repeatedMessages ?? 0 },
    received,
    byRoad,
    stored,
    replaced,
    duplicate,
    conflicting: conflicts,
    setAside,
    refused,
    refusedBy,
    open: received - stored - replaced - duplicate - conflicts - setAside - refused,
    late,
    clockAhead,
    measured: measuredLine(measured, expected)
  }
}

const measuredLine = (measured: Omit<MeasuredLine, 'expected' | 'missing'>, expected: number | null): MeasuredLine => ({
  expected,
  missing: expected === null ? null : Math.max(0, expected - measured.stored),
  stored: measured.stored,
  late: measured.late,
  calibrating: measured.calibrating,
  fault: measured.fault,
  otherStatus: measured.otherStatus
})

/** Readings that a station owes for a day: one for each parameter and whole interval of it that is over at `now`. */
export function expectedReadings(
  parameters: number,
  interval: Millis,
  { day, now }: { readonly day: Millis; readonly now: Millis }
): number {
  const elapsed = Math.min(Math.max(now - day, 0), DAY)
  return parameters * Math.floor(elapsed / interval)
}
