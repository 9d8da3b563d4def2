import type { AlarmTransition } from '#libs/pipeline'

type Subscriber = (transition: AlarmTransition) => void

/** Recorded alarm transitions, told to whoever looks at a screen. Nobody's duty hangs on it: that is the outbox's. */
export class AlarmEvents {
  readonly #subscribers = new Set<Subscriber>()

  subscribe(subscriber: Subscriber): () => void {
    this.#subscribers.add(subscriber)
    return () => this.#subscribers.delete(subscriber)
  }

  tell(transitions: readonly AlarmTransition[]): void {
    for (const transition of transitions) for (const subscriber of this.#subscribers) subscriber(transition)
  }
}
