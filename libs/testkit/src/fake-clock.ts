import type { Millis } from '#libs/model'

/** A clock that stands still until it is told otherwise. `now` can be handed over as a `Clock`. */
export interface FakeClock {
  readonly now: () => Millis
  advance(ms: Millis): void
}

export function fakeClock(start: Millis): FakeClock {
  let now = start
  return {
    now: () => now,
    advance: ms => {
      now += ms
    }
  }
}
