import type { Aggregate } from '#libs/aggregates'
import type { DailyVerdict, Zone, ZoneIndicator, ZoneSettings, ZoneStation } from '#libs/dqi'
import { zoneIndicator } from '#libs/dqi'
import type { Millis, Station } from '#libs/model'
import { DAY, VIETNAM_OFFSET } from '#libs/model'
import type { AggregateLog, Clock, Standards } from '#libs/pipeline'

interface Sources {
  readonly stations: { readonly all: readonly Station[] }
  readonly aggregates: Pick<AggregateLog, 'find'>
  readonly standards: Pick<Standards, 'law'>
  readonly settings: ZoneSettings
  readonly clock: Clock
}

const DAYS_OF_A_YEAR = 366
/** Why a parameter does not decide a day: no text binds the station to a daily limit of it. */
const LEFT_OUT: ReadonlySet<string | null> = new Set(['not-regulated', 'no-permit', 'other-window'])

/** The plan's indicator of a year, from the daily means that are published and the law as it is loaded, whenever it is asked for. */
export class ZoneYears {
  readonly #sources: Sources

  constructor(sources: Sources) {
    this.#sources = sources
  }

  async of(year: number): Promise<ZoneIndicator> {
    const { stations, settings, clock } = this.#sources
    const zones = new Map<string, ZoneStation[]>()
    for (const station of stations.all) {
      if (station.kind !== 'wastewater') continue
      const found = { station: station.code, days: await this.#daysOf(station, year) }
      zones.set(station.zone, [...(zones.get(station.zone) ?? []), found])
    }
    const all = [...zones].map(([zone, members]): Zone => ({ zone, stations: members }))
    return zoneIndicator({ year, now: clock() }, all, settings)
  }

  async #daysOf({ code, parameters }: Station, year: number): Promise<DailyVerdict[]> {
    const from = Date.UTC(year, 0, 1) - VIETNAM_OFFSET
    const span = { from, to: from + DAYS_OF_A_YEAR * DAY, limit: DAYS_OF_A_YEAR + 1 }
    const byDay = new Map<Millis, Aggregate[]>()
    for (const parameter of parameters) {
      for (const day of await this.#sources.aggregates.find({ station: code, parameter, period: 'day', ...span }))
        byDay.set(day.end, [...(byDay.get(day.end) ?? []), day])
      // Each may be a year of days: others of the thread have their turn in between.
      await new Promise(resolve => setImmediate(resolve))
    }
    return [...byDay].flatMap(([end, day]) => this.#verdictsOf(end, day))
  }

  /** One for each parameter that a text sets a daily limit for; of a station that no permit binds the day is without a limit. */
  #verdictsOf(end: Millis, day: readonly Aggregate[]): DailyVerdict[] {
    // The window's end belongs to it, and the day after begins there: what holds is asked of an instant inside.
    const at = end - 1
    const judged = day.map(({ station, parameter, mean, unit, completeness }) => ({
      ...this.#sources.standards.law.judge({ station, parameter, at, value: mean, unit, window: 'day' }),
      completeness
    }))
    const bound = judged.filter(({ reason }) => !LEFT_OUT.has(reason))
    if (bound.length > 0) return bound.map(({ verdict, completeness }) => ({ day: at, verdict, completeness }))
    return judged.some(({ reason }) => reason === 'no-permit') ? [{ day: at, verdict: 'no-limit', completeness: 1 }] : []
  }
}
