import type { Station } from '#libs/model'
import type { Profile } from '#libs/wire'

/** What the fleet needs to know of a station of the registry. */
export interface FleetStation {
  readonly code: string
  readonly kind: Station['kind']
  readonly dialect: Profile['dialect']
  /** Times without a zone are this profile's habit. */
  readonly zoneless: boolean
  readonly textNumbers: boolean
  readonly parameters: readonly {
    readonly code: string
    readonly unit: string
    readonly decimals: number
    readonly min: number
    readonly max: number
  }[]
}

export function fleetStation(station: Station, profile: Profile): FleetStation {
  return {
    code: station.code,
    kind: station.kind,
    dialect: profile.dialect,
    zoneless: profile.zoneOffset !== undefined,
    textNumbers: profile.textNumbers ?? false,
    parameters: profile.parameters.filter(parameter => station.parameters.includes(parameter.code))
  }
}
