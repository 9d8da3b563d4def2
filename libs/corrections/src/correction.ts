import type { Flag, Millis, SeriesKey } from '#libs/model'
import { DAY, EARLIEST, LATEST } from '#libs/model'

/** Where a correction stands in its life. The raw series lies beside it and never changes (regulations.md 1.6, 9 "Principles"). */
export type CorrectionState = 'draft' | 'waiting' | 'rejected' | 'accepted' | 'cancelled'

export const CORRECTION_STATES = ['draft', 'waiting', 'rejected', 'accepted', 'cancelled'] as const satisfies readonly CorrectionState[]

/** The ministry's numbers: DRAFT, WAIT_FOR_APPROVE, REJECTED, ACCEPTED, CANCELLED (regulations.md 1.6, last row). */
export const STATE_CODES: Readonly<Record<CorrectionState, number>> = { draft: 0, waiting: 2, rejected: 3, accepted: 4, cancelled: 5 }

/** A value in the unit of the series that stands in the place of the raw one. */
export interface Replacement {
  readonly at: Millis
  readonly value: number
}

/** Both ends belong to it: `from <= at <= to`. */
export interface Span {
  readonly from: Millis
  readonly to: Millis
}

/** Flags that a person can give: 9 (missing) is no statement on a reading that is there. */
export type GivenFlag = Exclude<Flag, 9>

/**
 * What a correction does to raw readings. It is always said of the raw values, never of what another correction made of them.
 * - `replace`: other values at instants that have a reading; where there is none, nothing is made up.
 * - `remove`: the readings stay to be seen and leave the statistics.
 * - `scale`: raw value × factor + offset, as for a drift that a calibration has shown.
 * - `set-flag`: another QARTOD flag (regulations.md 7.1), as for a good value that a check has failed.
 */
export type Change =
  | { readonly kind: 'replace'; readonly values: readonly Replacement[] }
  | ({ readonly kind: 'remove' } & Span)
  | ({ readonly kind: 'scale'; readonly factor: number; readonly offset: number } & Span)
  | ({ readonly kind: 'set-flag'; readonly flag: GivenFlag } & Span)

export type ChangeKind = Change['kind']
export const CHANGE_KINDS = ['replace', 'remove', 'scale', 'set-flag'] as const satisfies readonly ChangeKind[]

/** Who does something to a correction. */
export interface Person {
  readonly name: string
  /** The credential that it was done with; null where there was none, as at the server's own command line. */
  readonly via: string | null
}

/** One correction of one series, as it stands. */
export interface Correction extends SeriesKey {
  readonly id: number
  readonly state: CorrectionState
  /** Rises by one with everything that is done to it: 1 when it is made. Who acts on it says which version was seen. */
  readonly version: number
  readonly change: Change
  readonly reason: string
  /** Everybody who wrote what stands in it; the author is the first. */
  readonly writers: readonly Person[]
  readonly createdAt: Millis
  readonly changedAt: Millis
  readonly approver: Person | null
  /** From this instant on it is part of the corrected series … */
  readonly acceptedAt: Millis | null
  /** … and from this one no more: when an accepted one was cancelled. */
  readonly withdrawnAt: Millis | null
}

/** What a draft says: which series, what is done to it, and why. */
export interface Proposal extends SeriesKey {
  readonly change: Change
  readonly reason: string
}

/** Sizes that keep one correction readable for the one who approves it, and the overlay cheap. */
export const MAX_VALUES = 1_000
const MAX_SPAN: Millis = 366 * DAY
export const MAX_TEXT = 2_000
export const MAX_NAME = 100
/** A drift is no change of unit: nothing sensible is beyond these. */
const MAX_FACTOR = 1_000
const MAX_VALUE = 1e15

/** What is wrong with a proposal, or null. Device and station are the registry's business. */
export function problemOfProposal({ change, reason }: Pick<Proposal, 'change' | 'reason'>): string | null {
  if (reason.trim() === '' || reason.length > MAX_TEXT) return `reason: 1 to ${MAX_TEXT} characters`
  return change.kind === 'replace' ? problemOfValues(change.values) : (problemOfSpan(change) ?? problemOfTerms(change))
}

function problemOfValues(values: readonly Replacement[]): string | null {
  if (values.length === 0 || values.length > MAX_VALUES) return `values: 1 to ${MAX_VALUES} of them`
  if (!values.every(({ at }) => isInstant(at))) return 'values: each at an instant between 1970 and 2200'
  if (!values.every(({ value }) => Math.abs(value) <= MAX_VALUE)) return 'values: finite numbers'
  return new Set(values.map(({ at }) => at)).size === values.length ? null : 'values: each instant once'
}

function problemOfSpan({ from, to }: Span): string | null {
  if (!isInstant(from) || !isInstant(to)) return 'from and to: instants between 1970 and 2200'
  if (from > to) return 'from: not after to'
  return to - from > MAX_SPAN ? 'to: at most 366 days after from' : null
}

function problemOfTerms(change: Exclude<Change, { kind: 'replace' }>): string | null {
  if (change.kind !== 'scale') return null
  const { factor, offset } = change
  if (!(Math.abs(factor) <= MAX_FACTOR) || factor === 0) return `factor: not 0, and at most ${MAX_FACTOR} either way`
  if (!(Math.abs(offset) <= MAX_VALUE)) return 'offset: a finite number'
  return factor === 1 && offset === 0 ? 'factor and offset: they change nothing' : null
}

const isInstant = (at: Millis): boolean => Number.isInteger(at) && at >= EARLIEST && at < LATEST

/** From the first to the last instant that a change is about. */
export function spanOf(change: Change): Span {
  if (change.kind !== 'replace') return { from: change.from, to: change.to }
  const instants = change.values.map(({ at }) => at)
  return { from: Math.min(...instants), to: Math.max(...instants) }
}

/** Whether a change is about any instant of a span. */
export function touches(change: Change, { from, to }: Span): boolean {
  if (change.kind === 'replace') return change.values.some(({ at }) => at >= from && at <= to)
  return change.from <= to && change.to >= from
}
