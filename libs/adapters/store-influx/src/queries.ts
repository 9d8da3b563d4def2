import type { ParameterizedQuery } from '@influxdata/influxdb-client'
import { flux, fluxDateTime } from '@influxdata/influxdb-client'
import type { Millis, SeriesKey } from '#libs/model'
import { EARLIEST, LATEST } from '#libs/model'
import type { Span } from './spans.js'

/** Every question in Flux. Values go in through the library's templates alone, which escape them. */

/** A measurement's points. */
export interface Source {
  readonly bucket: string
  readonly measurement: string
}

/** Stations or series that are named one by one; above this, all are asked for and the others passed over. */
const MOST_NAMED = 60

const time = (at: Millis): unknown => fluxDateTime(new Date(at).toISOString())

/** `from <= at < to` of a measurement. Flux takes an empty range for an error, so callers ask for none. */
function points({ bucket, measurement }: Source, from: Millis, to: Millis): ParameterizedQuery {
  return flux`from(bucket: ${bucket}) |> range(start: ${time(from)}, stop: ${time(to)}) |> filter(fn: (r) => r._measurement == ${measurement})`
}

const either = (parts: readonly ParameterizedQuery[]): ParameterizedQuery => parts.reduce((all, part) => flux`${all} or ${part}`)

const ofSeries = ({ station, parameter }: SeriesKey): ParameterizedQuery => flux`(r.station == ${station} and r.parameter == ${parameter})`

const onlySeries = (query: ParameterizedQuery, keys: readonly SeriesKey[]): ParameterizedQuery =>
  keys.length > MOST_NAMED ? query : flux`${query} |> filter(fn: (r) => ${either(keys.map(ofSeries))})`

const onlyStations = (query: ParameterizedQuery, stations: readonly string[] | undefined): ParameterizedQuery =>
  !stations || stations.length > MOST_NAMED
    ? query
    : flux`${query} |> filter(fn: (r) => ${either(stations.map(station => flux`r.station == ${station}`))})`

const SHOWN = flux`keep(columns: ["_time", "_value", "_field", "station", "parameter"])`

/** Newest instant of every series. One table for all: an answer of a table per series takes three times as long. */
export const newestInstants = (source: Source): ParameterizedQuery =>
  flux`${points(source, EARLIEST, LATEST)} |> filter(fn: (r) => r._field == "sequence") |> last() |> group() |> keep(columns: ["_time", "station", "parameter"])`

/** Newest value of each field of each series. `last` is carried out where the points lie; a pivot would read them all. */
export const newestFields = (
  source: Source,
  span: { readonly from: Millis; readonly to: Millis },
  stations: readonly string[] | undefined
): ParameterizedQuery =>
  flux`${onlyStations(points(source, span.from, span.to), stations)} |> last() |> group(columns: ["_field"]) |> ${SHOWN}`

/** Fields of all points of the spans, one stream for each. */
export const fieldsOf = (source: Source, spans: readonly Span[]): ParameterizedQuery =>
  spans
    .map(({ from, to, series }, n) => {
      const inSpan = onlySeries(points(source, from, to + 1), [...series.values()])
      return flux`${inSpan} |> group(columns: ["_field"]) |> ${SHOWN} |> yield(name: ${String(n)})`
    })
    .reduce((all, part) => flux`${all}\n${part}`)

/** Fields of one series in ascending time, each at most `limit` times. */
export const rangeOf = (source: Source, key: SeriesKey, span: { from: Millis; to: Millis; limit: number }): ParameterizedQuery =>
  flux`${onlySeries(points(source, span.from, span.to), [key])} |> limit(n: ${span.limit}) |> keep(columns: ["_time", "_value", "_field"])`

/** Fields of every series of a station in ascending time, each at most `limit` times. */
export const beginOf = (source: Source, station: string, span: { from: Millis; to: Millis; limit: number }): ParameterizedQuery =>
  flux`${onlyStations(points(source, span.from, span.to), [station])} |> limit(n: ${span.limit}) |> group(columns: ["_field"]) |> ${SHOWN}`

/** Where the conflicts after a journal record stand: at most `limit`, in ascending sequence. */
export const conflictsAfter = (source: Source, after: number, limit: number): ParameterizedQuery =>
  flux`${points(source, EARLIEST, LATEST)} |> filter(fn: (r) => r._field == "sequence" and r._value > ${after}) |> group() |> sort(columns: ["_value", "_time"]) |> limit(n: ${limit}) |> keep(columns: ["_time", "_value", "station", "parameter"])`

/** Number of points: of the field that each has. */
export const countOf = (source: Source): ParameterizedQuery =>
  flux`${points(source, EARLIEST, LATEST)} |> filter(fn: (r) => r._field == "sequence") |> count() |> group() |> sum()`

/** Oldest instant of every series. */
export const oldestInstants = (source: Source): ParameterizedQuery =>
  flux`${points(source, EARLIEST, LATEST)} |> filter(fn: (r) => r._field == "sequence") |> first() |> group() |> min(column: "_time")`

/** Newest points of a measurement that few have. */
export const newestOf = (source: Source, limit: number): ParameterizedQuery =>
  flux`${points(source, EARLIEST, LATEST)} |> pivot(rowKey: ["_time", "station", "parameter"], columnKey: ["_field"], valueColumn: "_value") |> group() |> sort(columns: ["sequence"], desc: true) |> limit(n: ${limit})`

/** The one point of a consumer's cursor. */
export const cursorOf = (source: Source, consumer: string): ParameterizedQuery =>
  flux`${points(source, EARLIEST, EARLIEST + 1)} |> filter(fn: (r) => r.consumer == ${consumer} and r._field == "sequence") |> last()`

/** Every field of a consumer's points of `from <= at <= to`. */
export const fatesOf = (
  source: Source,
  consumer: string,
  { from, to }: { readonly from: Millis; readonly to: Millis }
): ParameterizedQuery =>
  flux`${points(source, from, Math.min(to + 1, LATEST))} |> filter(fn: (r) => r.consumer == ${consumer}) |> group(columns: ["_field"]) |> keep(columns: ["_time", "_value", "_field"])`
