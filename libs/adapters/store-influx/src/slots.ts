/** Nanoseconds within the millisecond of an instant: as many points of one series can stand at one instant. */
const SLOTS = 1_000_000

/**
 * A place among those of one instant that follows from the text alone (FNV-1a, 32 bits), so that a repeated write meets its own
 * point; the next free one where another text has it already.
 */
export function slotOf(text: string, taken: ReadonlySet<number> = new Set()): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  let slot = (hash >>> 0) % SLOTS
  while (taken.has(slot)) slot = (slot + 1) % SLOTS
  return slot
}

/** Timestamp of line protocol in nanoseconds. Written together as text: a number has no room for it. */
export const nanoseconds = (at: number, slot: number): string => (at === 0 ? String(slot) : `${at}${String(slot).padStart(6, '0')}`)

/** The slot of a time as Flux writes it: the last six of nine digits after the point. */
export function slotAt(time: string): number {
  const point = time.indexOf('.')
  return point < 0
    ? 0
    : Number(
        time
          .slice(point + 1, -1)
          .padEnd(9, '0')
          .slice(3)
      )
}
