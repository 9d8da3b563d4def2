import { DAY, HOUR, MINUTE, type Millis, SECOND } from '#libs/model'
import type { StationEntry } from '#libs/wire'
import type { Dice } from './dice.js'

/** What a station of the proof measures, and between which values. */
interface Kind {
  readonly prefix: string
  readonly kind: StationEntry['kind']
  readonly profile: string
  readonly spans: Readonly<Record<string, readonly [least: number, most: number]>>
}

/** Loads that rest on a flow, sums of rain, levels, and a limit on COD: each kind of figure that an aggregate has. */
const KINDS: readonly [Kind, ...Kind[]] = [
  { prefix: 'FWD-OUTLET', kind: 'wastewater', profile: 'discharge-monitor', spans: { Flow: [10, 400], COD: [20, 140], TSS: [5, 80] } },
  {
    prefix: 'FWD-GAUGE',
    kind: 'hydrology',
    profile: 'hydrology-gauge',
    spans: { WaterLevel: [-1, 3], Flow: [-900, 5_000], Rain: [0, 20] }
  },
  { prefix: 'FWD-BUOY', kind: 'salinity', profile: 'salinity-buoy', spans: { EC: [1, 40], Salinity: [0.5, 25], Temp: [24, 33] } }
]

export interface ForwardStation {
  readonly entry: StationEntry
  readonly spans: Kind['spans']
}

/** So many stations, of each kind in turn. */
export function forwardStations(count: number): ForwardStation[] {
  return Array.from({ length: count }, (_, index) => stationOf(KINDS[index % KINDS.length] ?? KINDS[0], index + 1))
}
function stationOf({ prefix, kind, profile, spans }: Kind, n: number): ForwardStation {
  return {
    spans,
    entry: {
      code: `${prefix}-${n}`,
      name: `Trạm thử ${prefix} ${n}`,
      ...{ kind, profile, zone: 'Forward proof', agency: 'Forward proof', example: true },
      position: { longitude: 105.1, latitude: 10.4 },
      parameters: Object.keys(spans)
    }
  }
}

/** A reading's identity within its station. */
export type Point = `${string}@${number}`

export interface Message {
  readonly what: 'current' | 'late' | 'backfill' | 'correction' | 'conflict' | 'duplicate'
  readonly payload: string
  readonly points: readonly Point[]
}

/** What was sent of one instant; a correction takes the next revision. */
interface Sent {
  readonly at: Millis
  readonly parameters: readonly string[]
  revision: number
}

/** Sent instants that may be corrected, and messages that may come again. */
const REMEMBERED = 2_000
const BACKFILL_STEP = 5 * MINUTE
const BACKFILL_ITEMS = 12

/**
 * What one station sends: what it measures now, readings that are hours, days and 40 days late, whole hours at once, corrections of what
 * was sent (revision + 1), the same revision with another value (which must change nothing), and repetitions. Some values are
 * out of the sensor's span, some have status 01 or 02.
 */
export class StationScript {
  readonly #station: ForwardStation
  readonly #dice: Dice
  readonly #sent: Sent[] = []
  readonly #messages: Message[] = []
  #last: Millis = 0

  constructor(station: ForwardStation, dice: Dice) {
    this.#station = station
    this.#dice = dice
  }

  next(now: Millis): Message {
    const draw = this.#dice.next()
    if (draw < 0.3 || this.#messages.length < 5) return this.#keep(this.#current(now))
    if (draw < 0.5) return this.#keep(this.#of('late', [this.#fresh(this.#lateInstant(now))]))
    if (draw < 0.58) return this.#keep(this.#backfill(now))
    if (draw < 0.86) return this.#keep(this.#correction())
    if (draw < 0.9) return this.#of('conflict', [this.#dice.pick(this.#some())])
    return { ...this.#dice.pick(this.#messages as [Message, ...Message[]]), what: 'duplicate' }
  }

  #current(now: Millis): Message {
    // Two messages of one millisecond would be a conflict that nobody meant.
    this.#last = Math.max(now, this.#last + 1)
    return this.#of('current', [this.#fresh(this.#last)])
  }

  #backfill(now: Millis): Message {
    const hour = Math.floor((now - this.#dice.whole(2, 40) * DAY) / HOUR) * HOUR + this.#dice.whole(0, 23) * HOUR
    const begin = hour + this.#dice.whole(1, 299) * SECOND
    return this.#of(
      'backfill',
      Array.from({ length: BACKFILL_ITEMS }, (_, n) => this.#fresh(begin + n * BACKFILL_STEP))
    )
  }

  #correction(): Message {
    const sent = this.#dice.pick(this.#some())
    sent.revision++
    return this.#of('correction', [sent])
  }

  /** Few windows, so that many of them change again and again. */
  #lateInstant(now: Millis): Millis {
    const back = this.#dice.pick<Millis>([
      this.#dice.between(1 * HOUR, 8 * HOUR),
      this.#dice.whole(1, 20) * DAY + this.#dice.between(0, 3 * HOUR),
      40 * DAY + this.#dice.between(0, 12 * HOUR)
    ])
    return Math.floor((now - back) / SECOND) * SECOND
  }

  #fresh(at: Millis): Sent {
    const parameters = this.#station.entry.parameters ?? []
    const some = parameters.filter(() => this.#dice.happens(0.7))
    return { at, parameters: some.length > 0 ? some : parameters, revision: 0 }
  }

  #some(): [Sent, ...Sent[]] {
    return this.#sent as [Sent, ...Sent[]]
  }

  #of(what: Message['what'], instants: readonly Sent[]): Message {
    const items = instants.map(({ at, parameters, revision }) => ({
      at,
      revision,
      readings: Object.fromEntries(parameters.map(parameter => [parameter, this.#reading(parameter)]))
    }))
    if (what !== 'correction' && what !== 'conflict') for (const sent of instants) put(this.#sent, sent, this.#dice)
    const points = instants.flatMap(({ at, parameters }) => parameters.map(parameter => `${parameter}@${at}` as const))
    return { what, payload: JSON.stringify(items.length === 1 ? items[0] : items), points }
  }

  #reading(parameter: string): object {
    const [least, most] = this.#station.spans[parameter] ?? [0, 1]
    const value = this.#dice.happens(0.03) ? 1e6 : Math.round(this.#dice.between(least, most) * 1_000) / 1_000
    return this.#dice.happens(0.06) ? { value, status: this.#dice.pick(['01', '02']) } : { value }
  }

  #keep(message: Message): Message {
    put(this.#messages, message, this.#dice)
    return message
  }
}

function put<T>(list: T[], item: T, dice: Dice): void {
  if (list.length < REMEMBERED) list.push(item)
  else list[dice.whole(0, REMEMBERED - 1)] = item
}
