import type { Millis, Station } from '#libs/model'
import type { Registry } from '#libs/platform'
import { CodedError } from '#libs/platform'
import type { Plans } from '#libs/quality'
import type { CompiledProfile } from '#libs/wire'

/** The registry's stations, looked up by code. */
export class Stations {
  readonly all: readonly Station[]
  readonly byCode: ReadonlyMap<string, Station>
  /** The quality tests of each series. */
  readonly planOf: Plans
  readonly scores: Registry['scores']
  readonly #profiles: ReadonlyMap<string, CompiledProfile>

  constructor({ stations, profiles, planOf, scores }: Pick<Registry, 'stations' | 'profiles' | 'planOf' | 'scores'>) {
    this.all = [...stations].sort((a, b) => (a.code < b.code ? -1 : 1))
    this.byCode = new Map(stations.map(station => [station.code, station]))
    this.#profiles = profiles
    this.planOf = planOf
    this.scores = scores
  }

  measures(station: string, parameter: string): boolean {
    return this.byCode.get(station)?.parameters.includes(parameter) ?? false
  }

  /** How often a reading of each station is expected. Milliseconds. */
  intervals(): Map<string, Millis> {
    return new Map(this.all.map(station => [station.code, this.profileOf(station).intervalMillis]))
  }

  /** @throws CodedError when the registry let a station through whose profile does not exist: a mistake of ours. */
  readonly profileOf = (station: Station): CompiledProfile => {
    const profile = this.#profiles.get(station.profile)
    if (!profile) throw new CodedError('QT_UNEXPECTED', `no profile ${station.profile} for station ${station.code}`)
    return profile
  }
}
