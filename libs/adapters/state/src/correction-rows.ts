import type { Millis } from '#libs/model'
import type { Change, Correction, CorrectionEvent, CorrectionState, Person } from '#libs/pipeline'
import { spanOf } from '#libs/pipeline'
import type { Tables } from './schema.js'

/** Something that was done to a correction. `change` and `reason` where it gave them: when it was made, and with every edit. */
export interface CorrectionEntry {
  /** The version that it led to. */
  readonly version: number
  readonly event: 'create' | CorrectionEvent
  readonly at: Millis
  readonly by: Person
  readonly state: CorrectionState
  readonly comment: string | null
  readonly change: Change | null
  readonly reason: string | null
}

export function toRow(correction: Correction): Tables['corrections'] {
  const { id, station, parameter, state, version, change, reason, writers, approver } = correction
  const { from, to } = spanOf(change)
  return {
    id,
    station,
    parameter,
    state,
    version,
    from_at: from,
    to_at: to,
    change: JSON.stringify(change),
    reason,
    writers: JSON.stringify(writers),
    approver: approver && JSON.stringify(approver),
    created_at: correction.createdAt,
    changed_at: correction.changedAt,
    accepted_at: correction.acceptedAt,
    withdrawn_at: correction.withdrawnAt
  }
}

export const toCorrection = (row: Tables['corrections']): Correction => ({
  id: row.id,
  station: row.station,
  parameter: row.parameter,
  state: row.state,
  version: row.version,
  change: JSON.parse(row.change) as Change,
  reason: row.reason,
  writers: JSON.parse(row.writers) as Person[],
  createdAt: row.created_at,
  changedAt: row.changed_at,
  approver: row.approver === null ? null : (JSON.parse(row.approver) as Person),
  acceptedAt: row.accepted_at,
  withdrawnAt: row.withdrawn_at
})

export const toEntryRow = (correction: number, entry: CorrectionEntry): Tables['correction_events'] => ({
  correction,
  version: entry.version,
  event: entry.event,
  at: entry.at,
  name: entry.by.name,
  via: entry.by.via,
  state: entry.state,
  comment: entry.comment,
  change: entry.change && JSON.stringify(entry.change),
  reason: entry.reason
})

export const toEntry = (row: Tables['correction_events']): CorrectionEntry => ({
  version: row.version,
  event: row.event,
  at: row.at,
  by: { name: row.name, via: row.via },
  state: row.state,
  comment: row.comment,
  change: row.change === null ? null : (JSON.parse(row.change) as Change),
  reason: row.reason
})
