export type { Change, ChangeKind, Correction, CorrectionState, GivenFlag, Person, Proposal, Replacement, Span } from './correction.js'
export {
  CHANGE_KINDS,
  CORRECTION_STATES,
  MAX_NAME,
  MAX_TEXT,
  MAX_VALUES,
  problemOfProposal,
  STATE_CODES,
  spanOf,
  touches
} from './correction.js'
export type { Command, CorrectionEvent, Decision, RefusalCode } from './life.js'
export { CORRECTION_EVENTS, decide, isSamePerson, nextState, problemOfPerson } from './life.js'
export type { CorrectedReading, StandingCorrection } from './overlay.js'
export { overlay, standingAt } from './overlay.js'
