import type { LawKind } from '#libs/pipeline'

/** `law_changes` only ever grows; `law_applied` has one row. Documents are JSON text, null where one was withdrawn. */
export interface LawTables {
  law_changes: {
    id: number
    kind: LawKind
    key: string
    document: string | null
    from_at: number | null
    author: string
    via: string | null
    reason: string
    changed_at: number
  }
  law_applied: { id: number; edition: number }
}
