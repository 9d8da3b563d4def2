import {
  CALIBRATING,
  DEVICE_FAULT,
  HOUR,
  MEASURING,
  MINUTE,
  type Millis,
  SECOND,
  type SensorStatus,
  type StationKind,
  VIETNAM_OFFSET
} from '#libs/model'
import { type Behaviour, behaviourOf, inUnit } from './behaviour.js'
import { elapsed, type Happening, ramp } from './occasion.js'
import { chance, jitter, seedOf, wander } from './random.js'

export interface ModelParameter {
  readonly code: string
  readonly unit: string
  readonly decimals: number
  /** The sensor's span in `unit`: it reports nothing outside. */
  readonly min: number
  readonly max: number
}

export interface ModelOptions {
  readonly station: string
  readonly kind: StationKind
  readonly parameters: readonly ModelParameter[]
  readonly seed: number
  /** Instant from which happenings count. */
  readonly origin: Millis
  readonly happenings: readonly Happening[]
  /** How far the device's clock is ahead (negative: behind), and how much more it gains a day. */
  readonly clockErrorMs: Millis
  readonly clockGainMsPerDay: Millis
  /** Smallest step of its clock: 1,000 for a device that writes whole seconds. */
  readonly clockStepMs: Millis
  /** Share of instants at which the device measures nothing. */
  readonly gapShare: number
  /** Levels of this station's own, in the profile's units. */
  readonly levels: Readonly<Record<string, number>>
}

export interface Value {
  readonly parameter: string
  readonly value: number
  readonly unit: string
  readonly status: SensorStatus
}

/** What the device measured at one instant, by its own clock. */
export interface Sample {
  readonly at: Millis
  readonly values: readonly Value[]
}

/** Period of the tide's largest constituent, M2. */
export const M2 = 12.42 * HOUR
const DAY_MS = 24 * HOUR
const DRIFT_PERIOD = 5 * HOUR
const RAIN_STEP = 20 * MINUTE
/** A shower in one of twenty steps of 20 minutes, of up to so many mm an hour. */
const RAIN_SHARE = 0.05
const HEAVIEST_RAIN = 38

/**
 * One station's quantities as a pure function of time: the same options and the same instant always give the same
 * sample, whatever was asked before. No clock, no state.
 */
export class StationModel {
  readonly #options: ModelOptions
  readonly #seed: number
  readonly #courses: readonly Course[]

  constructor(options: ModelOptions) {
    this.#options = options
    this.#seed = seedOf(`${options.seed}/${options.station}`)
    this.#courses = options.parameters.map(parameter => courseOf(parameter, options, this.#seed))
  }

  /** What the device measures at `now`, or undefined where it leaves a gap. */
  sample(now: Millis): Sample | undefined {
    const { gapShare } = this.#options
    const missed = chance(this.#seed, Math.floor(now / SECOND)) < gapShare
    if (missed || this.#happens('gap', now)) return undefined
    return { at: this.clock(now), values: this.#courses.map(course => this.#value(course, now)) }
  }

  /** The device's clock at `now`. */
  clock(now: Millis): Millis {
    const { clockErrorMs, clockGainMsPerDay, clockStepMs, origin } = this.#options
    const shown = Math.round(now + clockErrorMs + ((now - origin) / DAY_MS) * clockGainMsPerDay)
    return Math.floor(shown / clockStepMs) * clockStepMs
  }

  /** True while the device has no line to the broker. */
  isOffline(now: Millis): boolean {
    return this.#happens('outage', now)
  }

  #happens(kind: Happening['kind'], now: Millis, parameter?: string): boolean {
    return this.#options.happenings.some(h => {
      const concerned = parameter === undefined || !('parameter' in h) || h.parameter === undefined || h.parameter === parameter
      return h.kind === kind && concerned && elapsed(h, now - this.#options.origin) !== undefined
    })
  }

  #value({ parameter, undisturbed }: Course, now: Millis): Value {
    const { code, unit, decimals, min, max } = parameter
    const status = this.#status(code, now)
    // A broken sensor repeats what it last saw, as the real ones do: here the value of its last whole hour.
    const at = status === DEVICE_FAULT ? Math.floor(now / HOUR) * HOUR : now
    const value = Math.max(min, Math.min(max, this.#exceeded(code, undisturbed(at), now)))
    return { parameter: code, value: Number(value.toFixed(decimals)), unit: this.#unit(code, unit, now), status }
  }

  #status(code: string, now: Millis): SensorStatus {
    if (this.#happens('fault', now, code)) return DEVICE_FAULT
    return this.#happens('calibration', now, code) ? CALIBRATING : MEASURING
  }

  #unit(code: string, unit: string, now: Millis): string {
    const wrong = this.#options.happenings.find(
      h => h.kind === 'bad-unit' && h.parameter === code && elapsed(h, now - this.#options.origin) !== undefined
    )
    return wrong?.kind === 'bad-unit' ? wrong.unit : unit
  }

  /** The value moved towards where an excess takes it. */
  #exceeded(code: string, value: number, now: Millis): number {
    let moved = value
    for (const h of this.#options.happenings) {
      if (h.kind !== 'excess' || h.parameter !== code) continue
      const within = elapsed(h, now - this.#options.origin)
      if (within !== undefined) moved += (h.to - moved) * ramp(within, h.forS, h.rampS)
    }
    return moved
  }
}

/** A parameter and its value as nature has it, in the parameter's unit. */
interface Course {
  readonly parameter: ModelParameter
  readonly undisturbed: (at: Millis) => number
}

function courseOf(parameter: ModelParameter, { kind, levels }: ModelOptions, stationSeed: number): Course {
  const { code, unit } = parameter
  const seed = seedOf(`${stationSeed}/${code}`)
  if (code === 'Rain') return { parameter, undisturbed: at => inUnit(code, rain(seed, at), unit) }
  const behaviour = behaviourOf(kind, code)
  const own = levels[code]
  const shift = own === undefined ? 0 : own - inUnit(code, behaviour.level, unit)
  return { parameter, undisturbed: at => inUnit(code, natural(behaviour, seed, stationSeed, at), unit) + shift }
}

/** `stationSeed` sets the tide's phase, so that all tidal quantities of a station move together. */
function natural(b: Behaviour, seed: number, stationSeed: number, at: Millis): number {
  const hour = ((at + VIETNAM_OFFSET) % DAY_MS) / HOUR
  const daily = b.daily * Math.cos(((hour - b.peakHour) / 24) * 2 * Math.PI)
  const tide = b.tide * Math.cos((at / M2 + chance(stationSeed, 0)) * 2 * Math.PI)
  const drift = b.drift * wander(seed, at, DRIFT_PERIOD)
  const noise = b.noise * jitter(seed, Math.floor(at / SECOND))
  return Math.max(b.least, Math.min(b.most, b.level + daily + tide + drift + noise))
}

function rain(seed: number, at: Millis): number {
  const step = Math.floor(at / RAIN_STEP)
  if (chance(seed, step) >= RAIN_SHARE) return 0
  const share = at / RAIN_STEP - step
  return HEAVIEST_RAIN * chance(seed + 1, step) * Math.sin(share * Math.PI)
}
