import type { PruneResult } from './messages.js'
import type { BlockSpan, BlockStore } from './store.js'

/** One transaction deletes at most this much, so that no commit waits long behind it. */
const SLICE_BLOCKS = 256
const SLICE_BYTES = 8 << 20

/** Which blocks may go. Only a row of the oldest ones ever goes, so that what is kept has no holes. */
export interface RetentionRule {
  /** Last sequence that every consumer has passed. */
  readonly passed: number
  /** Blocks committed after this instant stay. */
  readonly olderThan: number
}

export const NOTHING_PRUNED: PruneResult = { blocks: 0, records: 0, bytes: 0 }

/** Age and consumers; where none has registered, age alone. */
export function agedRule(cursors: ReadonlyMap<string, number>, olderThan: number): RetentionRule {
  return { passed: Math.min(Number.MAX_SAFE_INTEGER, ...cursors.values()), olderThan }
}

/** Consumers alone, for when room is scarce; where none has registered nobody has used anything, and nothing goes. */
export function passedRule(cursors: ReadonlyMap<string, number>): RetentionRule {
  return { passed: cursors.size === 0 ? 0 : Math.min(...cursors.values()), olderThan: Number.MAX_SAFE_INTEGER }
}

/** Deletes one slice of the oldest blocks that the rule lets go; `blocks` is 0 when there is nothing left to delete. */
export function deleteSlice(store: BlockStore, rule: RetentionRule, lastSequence: number): PruneResult {
  const going = leading(store.oldest(SLICE_BLOCKS), rule)
  const newest = going.at(-1)
  if (newest) store.transact(() => store.deleteUpTo(newest.first, lastSequence))
  return {
    blocks: going.length,
    records: going.reduce((sum, block) => sum + block.count, 0),
    bytes: going.reduce((sum, block) => sum + block.bytes, 0)
  }
}

function leading(blocks: readonly BlockSpan[], { passed, olderThan }: RetentionRule): BlockSpan[] {
  const going: BlockSpan[] = []
  let bytes = 0
  for (const block of blocks) {
    if (block.first + block.count - 1 > passed || block.committedAt > olderThan) break
    if (bytes >= SLICE_BYTES) break
    going.push(block)
    bytes += block.bytes
  }
  return going
}
