import { Aedes, type AedesOptions, type Client, type PublishPacket } from 'aedes'

type Done = (error?: Error) => void

export interface LeanAedesOptions extends AedesOptions {
  /** Whether any subscriber, connected or not, wants a topic. */
  readonly isWanted: (topic: string) => boolean
}

/** Aedes calls it so; its types know the first form only. */
type PublishFunction = (packet: PublishPacket, client: Client | Done | null | undefined, done?: Done) => void

/** Aedes with a short way for the message that nobody subscribed and that is not retained: nearly every reading. */
export class LeanAedes extends Aedes {
  readonly #isWanted: (topic: string) => boolean
  readonly #publish = super.publish.bind(this) as PublishFunction

  constructor({ isWanted, ...options }: LeanAedesOptions) {
    super(options)
    this.#isWanted = isWanted
  }

  override publish(packet: PublishPacket & { brokerId?: string }, client?: Client | Done | null, done?: Done): void {
    const answer = typeof client === 'function' ? client : done
    if (!packet.retain && !this.#isWanted(packet.topic)) return answer?.()
    // A will of an earlier run is a publication of this one: its number is counted by this run.
    const own = packet.brokerId === undefined || packet.brokerId === this.id ? packet : { ...packet, brokerId: this.id }
    this.#publish(own, client, done)
  }
}
