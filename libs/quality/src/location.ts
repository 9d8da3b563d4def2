import type { Flag } from '#libs/model'

/** Degrees; undefined or NaN where it is missing. */
export interface Place {
  readonly longitude: number | undefined
  readonly latitude: number | undefined
}

export interface LocationBounds {
  /** West, south, east, north in degrees, the border included; outside 4. The whole earth where there is none. */
  readonly box?: readonly [west: number, south: number, east: number, north: number] | undefined
  /** Metres from the place before; more is 3. */
  readonly rangeMax?: number | undefined
  /** On the sphere (6,371 km), or on the ellipsoid. */
  readonly method?: 'haversine' | 'wgs84' | undefined
}

const EARTH = [-180, -90, 180, 90] as const

/** Where a station of Vietnam can stand (the ministry's check; regulations.md 1.6). */
export const VIETNAM_BOX = [100, 7, 112, 24] as const

/**
 * QARTOD location test, as ioos_qc `location_test`, with the box of its releases before 3 (in 3.0.0 it is the whole earth): 9 where
 * both degrees are missing, 4 where one is. No distance is taken to or from a place with a degree missing, as its `wgs84` does.
 */
export function location(places: readonly Place[], { box = EARTH, rangeMax, method = 'haversine' }: LocationBounds = {}): Flag[] {
  const [west, south, east, north] = box
  return places.map((place, n) => {
    const { longitude = Number.NaN, latitude = Number.NaN } = place
    const missing = (Number.isNaN(longitude) ? 1 : 0) + (Number.isNaN(latitude) ? 1 : 0)
    if (missing > 0) return missing === 2 ? 9 : 4
    if (longitude < west || longitude > east || latitude < south || latitude > north) return 4
    if (!Number.isFinite(longitude) || !Number.isFinite(latitude)) return 4
    const before = places[n - 1]
    return rangeMax !== undefined && before && DISTANCES[method](before, place) > rangeMax ? 3 : 1
  })
}

const RADIANS = Math.PI / 180
const SPHERE_METRES = 6_371_000

type Distance = (from: Place, to: Place) => number
const DISTANCES: Readonly<Record<'haversine' | 'wgs84', Distance>> = { haversine, wgs84 }

interface Radians {
  readonly lat1: number
  readonly lat2: number
  readonly lon: number
}

const radiansOf = (from: Place, to: Place): Radians => ({
  lat1: (from.latitude ?? Number.NaN) * RADIANS,
  lat2: (to.latitude ?? Number.NaN) * RADIANS,
  lon: ((to.longitude ?? Number.NaN) - (from.longitude ?? Number.NaN)) * RADIANS
})

function haversine(from: Place, to: Place): number {
  const { lat1, lat2, lon } = radiansOf(from, to)
  const a = Math.sin((lat2 - lat1) / 2) ** 2 + Math.cos(lat1) * Math.cos(lat2) * Math.sin(lon / 2) ** 2
  return SPHERE_METRES * 2 * Math.atan2(Math.sqrt(a), Math.sqrt(1 - a))
}

/** WGS 84: semi-major axis in metres and flattening. */
const A = 6_378_137
const F = 1 / 298.257223563
const B = A * (1 - F)
const MOST_ROUNDS = 200

/** T. Vincenty, Direct and inverse solutions of geodesics on the ellipsoid, Survey Review 23 (1975): half a millimetre, save for nearly opposite ends of the earth, where the sphere answers. */
function wgs84(from: Place, to: Place): number {
  const { lat1, lat2, lon } = radiansOf(from, to)
  const u1 = Math.atan((1 - F) * Math.tan(lat1))
  const u2 = Math.atan((1 - F) * Math.tan(lat2))
  const turn = Math.atan2(Math.sin(lon), Math.cos(lon))
  if (Math.abs(from.latitude ?? 0) > 90) return Number.NaN
  let lambda = turn
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const arc = arcOf(u1, u2, lambda)
    if (arc.sinSigma === 0) return 0
    const next = turn + longitudeTerm(arc)
    if (Math.abs(next - lambda) < 1e-12) return lengthOf(arc)
    lambda = next
  }
  return haversine(from, to)
}

interface Arc {
  readonly sigma: number
  readonly sinSigma: number
  readonly cosSigma: number
  readonly sinAlpha: number
  readonly cosSqAlpha: number
  readonly cos2SigmaM: number
}

function arcOf(u1: number, u2: number, lambda: number): Arc {
  const across = Math.cos(u2) * Math.sin(lambda)
  const along = Math.cos(u1) * Math.sin(u2) - Math.sin(u1) * Math.cos(u2) * Math.cos(lambda)
  const sinSigma = Math.hypot(across, along)
  const cosSigma = Math.sin(u1) * Math.sin(u2) + Math.cos(u1) * Math.cos(u2) * Math.cos(lambda)
  const sinAlpha = sinSigma === 0 ? 0 : (Math.cos(u1) * Math.cos(u2) * Math.sin(lambda)) / sinSigma
  const cosSqAlpha = 1 - sinAlpha ** 2
  const cos2SigmaM = cosSqAlpha < 1e-15 ? 0 : cosSigma - (2 * Math.sin(u1) * Math.sin(u2)) / cosSqAlpha
  return { sigma: Math.atan2(sinSigma, cosSigma), sinSigma, cosSigma, sinAlpha, cosSqAlpha, cos2SigmaM }
}

function longitudeTerm({ sigma, sinSigma, cosSigma, sinAlpha, cosSqAlpha, cos2SigmaM }: Arc): number {
  const c = (F / 16) * cosSqAlpha * (4 + F * (4 - 3 * cosSqAlpha))
  return (1 - c) * F * sinAlpha * (sigma + c * sinSigma * (cos2SigmaM + c * cosSigma * (2 * cos2SigmaM ** 2 - 1)))
}

function lengthOf({ sigma, sinSigma, cosSigma, cosSqAlpha, cos2SigmaM: m }: Arc): number {
  const uSq = (cosSqAlpha * (A ** 2 - B ** 2)) / B ** 2
  const a = 1 + (uSq / 16_384) * (4_096 + uSq * (uSq * (320 - 175 * uSq) - 768))
  const b = (uSq / 1_024) * (256 + uSq * (uSq * (74 - 47 * uSq) - 128))
  const last = (b / 6) * m * (4 * sinSigma ** 2 - 3) * (4 * m ** 2 - 3)
  return B * a * (sigma - b * sinSigma * (m + (b / 4) * (cosSigma * (2 * m ** 2 - 1) - last)))
}
