import type { Forwarding, LedgerPages } from '#libs/adapters/state'
import type { Millis, Station } from '#libs/model'
import { DAY } from '#libs/model'
import type { Clock, LedgerLine } from '#libs/pipeline'
import { expectedReadings, ledgerLine } from '#libs/pipeline'
import type { Stations } from '../wiring/stations.js'
import { ledgerDays, placeAfter, placeOf } from './ledger-place.js'

interface Sources {
  readonly pages: Pick<LedgerPages, 'firstDay' | 'day' | 'measured'>
  readonly stations: Pick<Stations, 'all' | 'byCode' | 'profileOf'>
  readonly clock: Clock
  readonly forwarding: Pick<Forwarding, 'readings'>
}

/** `forwarded`: readings of the day that the warehouse has; null while nothing is forwarded. */
export type ForwardedLine = LedgerLine & { readonly forwarded: number | null }

interface Query {
  readonly station?: string | undefined
  readonly from?: Millis | undefined
  readonly to?: Millis | undefined
  readonly limit: number
  readonly after?: string | undefined
}

/** The lines of the ledger: of every day since the first that anything came in, one for each station of the registry and each that sent. */
export class LedgerLines {
  readonly #sources: Sources

  constructor(sources: Sources) {
    this.#sources = sources
  }

  /** Ascending by day, then station. Days that `from` and `to` lie in are whole. @throws HttpProblem for a cursor that is none. */
  async page({ station, from, to, limit, after }: Query): Promise<{ readonly lines: ForwardedLine[]; readonly next: string | null }> {
    const now = this.#sources.clock()
    const place = after === undefined ? undefined : placeOf(after)
    const { begin, last } = ledgerDays({ from, to }, { now, first: await this.#sources.pages.firstDay() })
    const lines: LedgerLine[] = []
    for (let day = Math.max(begin, place?.day ?? begin); day <= last && lines.length <= limit; day += DAY) {
      const all = await this.#linesOf(day, station, now)
      lines.push(...(place?.day === day ? all.filter(line => line.station > place.station) : all))
    }
    const shown = lines.slice(0, limit)
    const end = shown.at(-1)
    return { lines: await this.#withForwarded(shown), next: lines.length > limit && end ? placeAfter(end) : null }
  }

  async #withForwarded(lines: readonly LedgerLine[]): Promise<ForwardedLine[]> {
    const held = new Map<Millis, ReadonlyMap<string, number> | null>()
    for (const day of new Set(lines.map(line => line.day))) {
      const series = lines.filter(line => line.day === day).flatMap(({ station }) => this.#seriesOf(station))
      held.set(day, await this.#sources.forwarding.readings(series, day))
    }
    return lines.map(line => {
      const readings = held.get(line.day) ?? null
      return { ...line, forwarded: readings === null ? null : (readings.get(line.station) ?? 0) }
    })
  }

  #seriesOf(station: string) {
    return (this.#sources.stations.byCode.get(station)?.parameters ?? []).map(parameter => ({ station, parameter }))
  }

  async #linesOf(day: Millis, station: string | undefined, now: Millis): Promise<LedgerLine[]> {
    const { pages, stations } = this.#sources
    const days = new Map((await pages.day(day, station)).map(each => [each.receipts.station, each]))
    const measured = new Map((await pages.measured(day, station)).map(each => [each.station, each]))
    const registered = stations.all.filter(({ code }) => station === undefined || code === station).map(({ code }) => code)
    const codes = [...new Set([...registered, ...days.keys(), ...measured.keys()])].sort()
    return codes.map(code => {
      const known = stations.byCode.get(code)
      const expected = known ? this.#expected(known, day, now) : null
      return ledgerLine({
        station: code,
        day,
        receipts: days.get(code)?.receipts,
        outcomes: days.get(code)?.outcomes,
        measured: measured.get(code),
        expected
      })
    })
  }

  #expected(station: Station, day: Millis, now: Millis): number {
    return expectedReadings(station.parameters.length, this.#sources.stations.profileOf(station).intervalMillis, { day, now })
  }
}
