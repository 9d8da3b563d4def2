import type { State } from '#libs/adapters/state'
import { codeOf, messageOf, SECOND } from '#libs/model'
import type { Log, Standards, StandardsSources } from '#libs/pipeline'
import { LawDesk, LawFollower, standardsAt } from '#libs/pipeline'
import { CodedError } from '#libs/platform'
import type { Stations } from './stations.js'

interface Sources {
  readonly state: Pick<State, 'law' | 'aggregates'>
  readonly stations: Stations
  /** As the registry's files have it; what was loaded is adopted. */
  readonly standards: Standards
  readonly sources: StandardsSources
  readonly log: Log
}

/** How soon a change made by another process holds here. */
export const LOOK_MS = 2 * SECOND

/** The law as staff have changed it: asked for, changed and followed. */
export class LawInForce {
  readonly desk: LawDesk
  readonly #follower: LawFollower
  readonly #log: Log
  #looking: NodeJS.Timeout | undefined
  #turn: Promise<void> = Promise.resolve()

  private constructor(desk: LawDesk, follower: LawFollower, log: Log) {
    this.desk = desk
    this.#follower = follower
    this.#log = log
  }

  /** @throws CodedError QT_REGISTRY_INVALID where what was loaded no longer fits the registry. */
  static async open({ state, stations, standards, sources, log }: Sources): Promise<LawInForce> {
    const ports = { law: state.law, sources, stations: stations.all }
    const edition = await state.law.edition()
    const read = await standardsAt(ports, edition)
    if (!read.ok) throw doesNotFit(read.problems)
    standards.adopt(read.standards)
    return new LawInForce(new LawDesk(ports, state.aggregates), new LawFollower(ports, standards, edition), log)
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
      if (news.problems.length > 0) this.#log.error({ code: 'QT_REGISTRY_INVALID' }, doesNotFit(news.problems).message)
      else this.#log.info({ edition: news.edition, series: news.changes.length }, 'the law has changed')
    } catch (error) {
      this.#log.error({ code: codeOf(error) }, `looking for changes of the law: ${messageOf(error)}`)
    }
  }
}

const doesNotFit = (problems: readonly string[]): CodedError =>
  new CodedError(
    'QT_REGISTRY_INVALID',
    `what was loaded of the law does not fit the registry (npm run -s ops -- rules withdraw takes it back):\n  ${problems.join('\n  ')}`
  )
