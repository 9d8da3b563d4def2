import { type Millis, SECOND } from '#libs/model'
import { Device, type DeviceCounts, type DeviceObserver, type SeriesMemory, StationModel } from '../../station/src/index.js'
import type { FleetStation } from './fleet-station.js'
import { ORDINARY, type Scenario } from './scenario.js'

export interface FleetOptions {
  readonly url: string
  readonly scenario: Scenario
  readonly stations: readonly (FleetStation & { readonly secret: string })[]
  readonly clock: () => Millis
}

export interface FleetCounts extends DeviceCounts {
  readonly stations: number
  readonly connected: number
}

const RECONNECT_MS = 1_000

/** Many devices of one scenario. Their periods are spread evenly, so that messages come as from a real network. */
export class Fleet {
  readonly #devices: readonly Device[]
  readonly #everyMs: Millis
  readonly #timers: NodeJS.Timeout[] = []

  constructor(options: FleetOptions, observer: DeviceObserver) {
    const origin = options.clock()
    this.#everyMs = options.scenario.everyMs
    this.#devices = options.stations.map(station => makeDevice(station, origin, options, observer))
  }

  start(): void {
    const step = this.#everyMs / this.#devices.length
    this.#devices.forEach((device, index) => {
      device.start()
      this.#timers.push(setTimeout(() => this.#keepTicking(device), index * step))
    })
  }

  #keepTicking(device: Device): void {
    device.tick()
    this.#timers.push(setInterval(() => device.tick(), this.#everyMs))
  }

  counts(): FleetCounts {
    const all = this.#devices.map(device => device.counts())
    const sum = (of: (counts: DeviceCounts) => number) => all.reduce((total, counts) => total + of(counts), 0)
    return {
      stations: all.length,
      connected: this.#devices.filter(device => device.connected).length,
      published: sum(c => c.published),
      acknowledged: sum(c => c.acknowledged),
      buffered: sum(c => c.buffered),
      dropped: sum(c => c.dropped)
    }
  }

  /** What the broker has acknowledged, by series id. */
  acknowledged(): Record<string, SeriesMemory> {
    return Object.fromEntries(this.#devices.flatMap(device => [...device.acknowledged.bySeries()]))
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    await Promise.all(this.#devices.map(device => device.stop()))
  }
}

function makeDevice(
  station: FleetStation & { readonly secret: string },
  origin: Millis,
  options: FleetOptions,
  observer: DeviceObserver
): Device {
  const { scenario, url, clock } = options
  const { batch, ...peculiar } = scenario.stations[station.code] ?? ORDINARY
  const { code, kind, parameters, dialect, zoneless, textNumbers, secret } = station
  // A logger that writes `2026-11-24 10:05:00` knows no smaller step.
  const clockStepMs = zoneless ? SECOND : 1
  const model = new StationModel({ station: code, kind, parameters, seed: scenario.seed, origin, clockStepMs, ...peculiar })
  const wording = { dialect, station: code, zoneless, textNumbers }
  const { capacity } = scenario
  return new Device({ url, station: code, secret, model, wording, batch, capacity, reconnectMs: RECONNECT_MS, clock }, observer)
}
