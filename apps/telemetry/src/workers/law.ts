import type { State } from '#libs/adapters/state'
import type { Station } from '#libs/model'
import { codeOf, messageOf } from '#libs/model'
import type { AlarmConsumer, Log, StandardsSources, TermsOf } from '#libs/pipeline'
import { changesOf, LawFollower, markChanged, Standards, standardsAt, standardsNow } from '#libs/pipeline'
import { LOOK_MS } from '../wiring/law.js'

interface Sources {
  readonly state: Pick<State, 'law' | 'aggregates'>
  readonly sources: StandardsSources
  readonly stations: readonly Station[]
}

interface Followers {
  readonly alarms: Pick<AlarmConsumer, 'adopt'>
  readonly termsOf: TermsOf
  readonly log: Log
}

/** The law that the consumers work by, and the judging anew of what stands when it changes. */
export class ConsumersLaw {
  readonly standards: Standards
  readonly #sources: Sources
  readonly #follower: LawFollower
  /** What rests on the law has been judged by this edition; null: not known yet. */
  #applied: number | null = null
  #looking: NodeJS.Timeout | undefined
  #turn: Promise<void> = Promise.resolve()

  private constructor(sources: Sources, standards: Standards, edition: number) {
    this.#sources = sources
    this.standards = standards
    this.#follower = new LawFollower({ law: sources.state.law, ...sources }, standards, edition)
  }

  /** @throws StandardsError, which whoever started the thread has ruled out. */
  static async open(sources: Sources): Promise<ConsumersLaw> {
    const { standards, edition } = await standardsNow({ law: sources.state.law, ...sources })
    return new ConsumersLaw(sources, standards, edition)
  }

  /**
   * From now on takes over what is changed, and has judged anew what rests on it: alarms that last, and every published window in the
   * stretches that changed. Up to which edition that was done is kept, so a kill in between forgets nothing.
   */
  start(followers: Followers): this {
    const look = () => {
      this.#turn = this.#turn.then(() =>
        this.#follow(followers).catch((error: unknown) => followers.log.error({ code: codeOf(error) }, messageOf(error)))
      )
    }
    look()
    this.#looking = setInterval(look, LOOK_MS)
    return this
  }

  async close(): Promise<void> {
    clearInterval(this.#looking)
    await this.#turn
  }

  async #follow({ alarms, termsOf, log }: Followers): Promise<void> {
    const { law } = this.#sources.state
    await this.#follower.look()
    const { edition } = this.#follower
    if (this.#applied === edition) return
    await alarms.adopt(this.standards.rules)
    const applied = await law.applied()
    if (applied !== edition) await this.#judgeAnew(applied, edition, { termsOf, log })
    this.#applied = edition
  }

  async #judgeAnew(applied: number, edition: number, { termsOf, log }: Pick<Followers, 'termsOf' | 'log'>): Promise<void> {
    const { law, aggregates } = this.#sources.state
    const before = await standardsAt({ law, ...this.#sources }, applied)
    const old = before.ok ? before.standards : Standards.none()
    const changes = changesOf(old, this.standards, this.#sources.stations)
    const marked = await markChanged(changes, { aggregates, termsOf, now: Date.now() })
    await law.apply(edition)
    log.info({ edition, windows: marked }, 'published windows are judged anew under the changed law')
  }
}
