import type { Correction, CorrectionState, Person } from './correction.js'
import { MAX_NAME, MAX_TEXT } from './correction.js'

/** What people do to a correction. */
export const CORRECTION_EVENTS = [
  'edit', // another change or reason
  'submit', // it is put before somebody else
  'approve', // somebody else answers for it: it becomes part of the corrected series
  'reject', // somebody does not, and says why
  'cancel', // it is given up; an accepted one leaves the corrected series
  'reopen' // it is worked on again
] as const
export type CorrectionEvent = (typeof CORRECTION_EVENTS)[number]

/**
 * The states are the ministry's (regulations.md 1.6, last row); of the ways between them that row names DRAFT → WAIT_FOR_APPROVE →
 * REJECTED / ACCEPTED / CANCELLED. Ours beside them: a draft may be given up, what waits or was rejected may be worked on again, and what was
 * accepted may be taken back. A pair that is not in the table is illegal.
 */
const TABLE: Readonly<Record<CorrectionState, Partial<Record<CorrectionEvent, CorrectionState>>>> = {
  draft: { edit: 'draft', submit: 'waiting', cancel: 'cancelled' },
  waiting: { approve: 'accepted', reject: 'rejected', cancel: 'cancelled', reopen: 'draft' },
  rejected: { reopen: 'draft', cancel: 'cancelled' },
  accepted: { cancel: 'cancelled' },
  cancelled: {}
}

/** The state after the event, or undefined when the event is illegal in that state. */
export const nextState = (state: CorrectionState, event: CorrectionEvent): CorrectionState | undefined => TABLE[state][event]

/** What somebody wants done to a correction, having seen it as it was at `version`. */
export interface Command {
  readonly event: CorrectionEvent
  readonly version: number
  readonly by: Person
  readonly comment: string | null
}

export type RefusalCode = 'QT_CORRECTION_CONFLICT' | 'QT_CORRECTION_STATE' | 'QT_CORRECTION_SAME_PERSON' | 'QT_CORRECTION_INVALID'

export type Decision =
  | { readonly ok: true; readonly state: CorrectionState }
  | { readonly ok: false; readonly code: RefusalCode; readonly message: string }

/**
 * Whether a command may be carried out, and the state that it leads to. Refused are: a version that is not the newest (somebody else was
 * quicker), an event that the state does not know, a decision on figures by somebody who wrote them, and a missing reason.
 */
export function decide(correction: Pick<Correction, 'state' | 'version' | 'writers'>, command: Command): Decision {
  const { state, version } = correction
  const { event, comment } = command
  if (command.version !== version)
    return refuse('QT_CORRECTION_CONFLICT', `it was changed meanwhile: version ${version} stands, ${command.version} was seen`)
  const next = nextState(state, event)
  if (next === undefined) return refuse('QT_CORRECTION_STATE', `a correction that is ${state} knows no ${event}`)
  if (changesFigures(state, event) && correction.writers.some(writer => isSamePerson(writer, command.by)))
    return refuse(
      'QT_CORRECTION_SAME_PERSON',
      `${command.by.name} has written it: somebody else with a credential of their own must ${event} it`
    )
  const problem = problemOfPerson(command.by) ?? problemOfComment(comment, event === 'reject' || takesBack(state, event))
  return problem === null ? { ok: true, state: next } : refuse('QT_CORRECTION_INVALID', problem)
}

/** Into the corrected series, and out of it again: four eyes each time (regulations.md 9, second-person approval). */
const changesFigures = (state: CorrectionState, event: CorrectionEvent): boolean => event === 'approve' || takesBack(state, event)

const takesBack = (state: CorrectionState, event: CorrectionEvent): boolean => state === 'accepted' && event === 'cancel'

/**
 * Names are compared as people read them: neither case nor spacing makes another person. One credential speaks for one person here,
 * whatever names are given with it: else whoever holds it could approve alone.
 */
export const isSamePerson = (a: Person, b: Person): boolean => fold(a.name) === fold(b.name) || (a.via !== null && a.via === b.via)

const fold = (name: string): string => name.normalize('NFKC').trim().replace(/\s+/g, ' ').toLowerCase()

/** What is wrong with who acts, or null. */
export const problemOfPerson = ({ name }: Person): string | null =>
  name.trim() === '' || name.length > MAX_NAME ? `by: a name of 1 to ${MAX_NAME} characters` : null

function problemOfComment(comment: string | null, isNeeded: boolean): string | null {
  if (isNeeded && (comment ?? '').trim() === '') return 'comment: say why'
  return comment !== null && comment.length > MAX_TEXT ? `comment: at most ${MAX_TEXT} characters` : null
}

const refuse = (code: RefusalCode, message: string): Decision => ({ ok: false, code, message })
