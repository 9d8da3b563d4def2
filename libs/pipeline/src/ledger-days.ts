import type { Millis } from '#libs/model'
import { DAY, VIETNAM_OFFSET } from '#libs/model'

/** Begin of the day of UTC+7 in which an instant lies. */
export const dayOf = (at: Millis): Millis => at - ((at + VIETNAM_OFFSET) % DAY)

/** A gap is where a series has no reading for longer than this many of its intervals. */
export const GAP_INTERVALS = 3
