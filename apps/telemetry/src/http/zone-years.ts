import type { Aggregate } from '#libs/aggregates'
import type { DailyVerdict, Zone, ZoneIndicator, ZoneSettings, ZoneStation } from '#libs/dqi'
import { zoneIndicator } from '#libs/dqi'
import type { Station } from '#libs/model'
import { DAY, VIETNAM_OFFSET } from '#libs/model'
import type { AggregateLog, Clock, Standards } from '#libs/pipeline'
import { questionOf } from '#libs/pipeline'
import { publishedDays } from './published-means.js'

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

  async #daysOf(station: Station, year: number): Promise<DailyVerdict[]> {
    const from = Date.UTC(year, 0, 1) - VIETNAM_OFFSET
    const byDay = await publishedDays(this.#sources.aggregates, station, { from, to: from + DAYS_OF_A_YEAR * DAY })
    return [...byDay.values()].flatMap(day => this.#verdictsOf(day))
  }

  /** One for each parameter that a text sets a daily limit for; of a station that no permit binds the day is without a limit. */
  #verdictsOf(day: readonly Aggregate[]): DailyVerdict[] {
    const judged = day.map(mean => {
      const question = questionOf(mean)
      const { verdict, reason } = this.#sources.standards.law.judge(question)
      return { day: question.at, verdict, reason, completeness: mean.completeness }
    })
    const bound = judged.filter(({ reason }) => !LEFT_OUT.has(reason))
    if (bound.length > 0) return bound.map(({ reason: _, ...verdict }) => verdict)
    return judged.filter(({ reason }) => reason === 'no-permit').map(({ day: at }) => ({ day: at, verdict: 'no-limit', completeness: 1 }))
  }
}
