import type { Millis } from '#libs/model'
import type { AlarmTransition } from './alarm.js'
import type { CompiledRules } from './rules.js'
import type { Silence } from './transition.js'
import { silenceTransition } from './transition.js'

/** What is known of a station's being heard. */
export interface Hearing {
  /** Newest instant at which a reading of it was received. */
  heardAt: Millis
  /** The alarm that stands, if one does. */
  silence: Silence | null
}

/**
 * Silence is about hearing, so it goes by the time of receipt and not by event time: back-filled readings of last week say that
 * the station speaks now. A station that was never heard has no alarm; its state is unknown.
 */
export class Silences {
  readonly hearings = new Map<string, Hearing>()
  /** Since when this process listens; -Infinity where nobody said. */
  #listeningSince: Millis = -Infinity
  /** Newest receipt of any station before that: until then somebody listened. */
  #heardBefore: Millis = -Infinity

  /** The server begins to listen. The time in which it did not is no station's silence. */
  listen(now: Millis): void {
    this.#listeningSince = now
    this.#heardBefore = -Infinity
    for (const { heardAt } of this.hearings.values()) this.#noteBefore(heardAt)
  }

  /** A message with readings came. It ends a silence, or shows that there was none when it had come in time. */
  hear(station: string, receivedAt: Millis, transitions: AlarmTransition[]): void {
    if (receivedAt < this.#listeningSince) this.#noteBefore(receivedAt)
    const hearing = this.hearings.get(station)
    if (!hearing) {
      this.hearings.set(station, { heardAt: receivedAt, silence: null })
      return
    }
    hearing.heardAt = Math.max(hearing.heardAt, receivedAt)
    if (!hearing.silence) return
    const kind = receivedAt > hearing.silence.raisedAt ? 'cleared' : 'withdrawn'
    transitions.push(silenceTransition(station, hearing.silence, kind, receivedAt))
    hearing.silence = null
  }

  /** Raises what has become due, at the instant at which the time was up. */
  tick(rules: CompiledRules, now: Millis): AlarmTransition[] {
    const transitions: AlarmTransition[] = []
    for (const [station, hearing] of this.hearings) {
      const terms = rules.silenceOf(station)
      if (!terms || hearing.silence || now - hearing.heardAt - this.#deaf(hearing.heardAt) <= terms.after) continue
      hearing.silence = { ...terms, raisedAt: hearing.heardAt + terms.after }
      transitions.push(raisedTransition(station, hearing.silence))
    }
    return transitions
  }

  /** The raising of every silence that stands, to be recorded again after a restart: a log that has it skips it. */
  standing(): AlarmTransition[] {
    return [...this.hearings].flatMap(([station, { silence }]) => (silence ? [raisedTransition(station, silence)] : []))
  }

  /** Forgets the stations that the rules no longer know. A silence that stands goes on under the rule that raised it. */
  adopt(rules: CompiledRules): AlarmTransition[] {
    const transitions: AlarmTransition[] = []
    for (const [station, { silence }] of this.hearings) {
      if (rules.silenceOf(station)) continue
      this.hearings.delete(station)
      if (silence) transitions.push(silenceTransition(station, silence, 'withdrawn', silence.raisedAt))
    }
    return transitions
  }

  /** How long nobody listened since a station was last heard. */
  #deaf(heardAt: Millis): Millis {
    if (heardAt >= this.#listeningSince) return 0
    return Math.max(0, this.#listeningSince - this.#heardBefore)
  }

  #noteBefore(receivedAt: Millis): void {
    if (receivedAt < this.#listeningSince) this.#heardBefore = Math.max(this.#heardBefore, receivedAt)
  }
}

const raisedTransition = (station: string, silence: Silence): AlarmTransition =>
  silenceTransition(station, silence, 'raised', silence.raisedAt)
