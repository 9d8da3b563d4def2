import type { Failure } from './errors.js'
import type { PackedBatch } from './seal.js'
import type { Marks } from './store.js'

/** What the writer thread is started with. Sizes in bytes. */
export interface WriterSettings {
  readonly file: string
  readonly maxBytes: number
  readonly softBytes: number
  readonly maxAgeMs: number
  readonly walBytes: number
  readonly faultPoint: 'before-commit' | 'after-commit-before-ack' | 'writer-crash' | undefined
  readonly faultAfter: number
}

export type ToWriter =
  | ({ readonly kind: 'commit'; readonly mayRepeat: boolean } & PackedBatch)
  | { readonly kind: 'marks'; readonly marks: Marks }
  | { readonly kind: 'probe'; readonly bytes: number }
  | { readonly kind: 'prune'; readonly now: number }
  | { readonly kind: 'close' }

/** How the file stands: the oldest record kept (0 = none) and the room taken. */
export interface Standing {
  readonly firstSequence: number
  readonly usedBytes: number
  readonly walBytes: number
}

export interface PruneResult {
  readonly blocks: number
  readonly records: number
  readonly bytes: number
}

export type FromWriter =
  | { readonly kind: 'ready'; readonly lastSequence: number; readonly cursors: Marks; readonly standing: Standing }
  | { readonly kind: 'not-ready'; readonly failure: Failure }
  | Committed
  | { readonly kind: 'refused'; readonly buffer: ArrayBuffer; readonly failure: Failure }
  | { readonly kind: 'probed'; readonly failure: Failure | null; readonly standing: Standing }
  | { readonly kind: 'pruned'; readonly result: PruneResult; readonly failure: Failure | null; readonly standing: Standing }

export interface Committed {
  readonly kind: 'committed'
  /** The batch's memory, to be used again. */
  readonly buffer: ArrayBuffer
  /** Sequence of the first new record; the others follow. */
  readonly first: number
  /** New records: those of the batch without the repeats. */
  readonly count: number
  /** Pairs: index in the batch, sequence of the record that it repeats. */
  readonly repeats: readonly number[]
  readonly bytes: number
  readonly commitMs: number
  readonly standing: Standing
}
