import type { CorrectionEvent, CorrectionState } from '#libs/pipeline'

/** Changes and people are JSON text. A row of `corrections` is what stands; `correction_events` only ever grows. */
export interface CorrectionTables {
  corrections: {
    id: number
    station: string
    parameter: string
    state: CorrectionState
    version: number
    /** First and last instant that the change is about. */
    from_at: number
    to_at: number
    change: string
    reason: string
    writers: string
    approver: string | null
    created_at: number
    changed_at: number
    accepted_at: number | null
    withdrawn_at: number | null
  }
  correction_events: {
    correction: number
    version: number
    event: 'create' | CorrectionEvent
    at: number
    name: string
    via: string | null
    state: CorrectionState
    comment: string | null
    change: string | null
    reason: string | null
  }
}
