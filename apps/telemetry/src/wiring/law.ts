import type { State } from '#libs/adapters/state'
import { codeOf, messageOf, SECOND } from '#libs/model'
import type { Log, Standards, StandardsSources } from '#libs/pipeline'
import { LawDesk, LawFollower, StandardsError, standardsNow } from '#libs/pipeline'
import type { Stations } from './stations.js'

interface Sources {
  readonly state: Pick<State, 'law' | 'aggregates'>
  readonly stations: Stations
  /** What the registry's files hold. */
  readonly sources: StandardsSources
  readonly log: Log
}

/** How soon a change made by another process holds here. */
export const LOOK_MS = 2 * SECOND

/** The law as staff have changed it: asked for, changed and followed. */
export class LawInForce {
  readonly desk: LawDesk
  readonly standards: Standards
  readonly #follower: LawFollower
  readonly #log: Log
  #looking: NodeJS.Timeout | undefined
  #turn: Promise<void> = Promise.resolve()

  private constructor(desk: LawDesk, standards: Standards, { follower, log }: { follower: LawFollower; log: Log }) {
    this.desk = desk
    this.standards = standards
    this.#follower = follower
    this.#log = log
  }

  /** @throws StandardsError where registry and what was loaded cannot be used together. */
  static async open({ state, stations, sources, log }: Sources): Promise<LawInForce> {
    const ports = { law: state.law, sources, stations: stations.all }
    const { standards, edition } = await standardsNow(ports)
    const follower = new LawFollower(ports, standards, edition)
    return new LawInForce(new LawDesk(ports, state.aggregates), standards, { follower, log })
  }

  start(): this {
    this.#looking = setInterval(() => void this.look(), LOOK_MS)
    return this
  }

  /** Takes over what was changed, at once. Never rejects: what held goes on holding. */
  look(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#look())
    return this.#turn
  }

  async close(): Promise<void> {
    clearInterval(this.#looking)
    await this.#turn
  }

  async #look(): Promise<void> {
    try {
      const news = await this.#follower.look()
      if (!news) return
      if (news.problems.length > 0) throw new StandardsError(news.problems, news.edition)
      this.#log.info({ edition: news.edition, series: news.changes.length }, 'the law has changed')
    } catch (error) {
      this.#log.error({ code: codeOf(error) }, `looking for changes of the law: ${messageOf(error)}`)
    }
  }
}
