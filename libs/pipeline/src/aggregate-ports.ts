import type { Aggregate, Part, Period, Summary, Terms } from '#libs/aggregates'
import type { Millis, SeriesKey } from '#libs/model'

/** A window of a series by its end. */
export interface WindowKey extends SeriesKey {
  readonly period: Period
  readonly end: Millis
}

/** A window that must be summed up anew. */
export interface WindowMark extends WindowKey {
  readonly start: Millis
  /** Not before this: the window is open until then, or more readings are likely to come right away. */
  readonly dueAt: Millis
  /** The newest journal record that asked for it. */
  readonly sequence: number
}

export interface DueQuery {
  readonly period: Period
  readonly now: Millis
  /** Marks of later records wait: their readings are not in the store yet. */
  readonly stored: number
  readonly limit: number
}

export interface AggregateQuery extends SeriesKey {
  readonly period: Period
  /** Windows with `from < end <= to`, ascending. */
  readonly from: Millis
  readonly to: Millis
  readonly limit: number
}

/** Where aggregates and what is to be computed anew are kept. Everything that belongs together moves in one transaction. */
export interface AggregateLog {
  /** Sequence of the last journal record whose windows are marked. */
  cursor(): Promise<number>
  /** Marks windows, then moves the cursor. A window that is marked already takes the new time, and the newer sequence of both. */
  mark(marks: readonly WindowMark[], upTo: number): Promise<void>
  /**
   * Marks of a period that are due, those that wait longest first. A month waits while one of its days is marked, due or not, since
   * it is summed up from what is published of them.
   */
  due(query: DueQuery): Promise<WindowMark[]>
  /**
   * Publishes what windows came to, in one transaction: each with the next revision where it differs from what stands, else not at
   * all. Takes a mark away unless it was made again since. Gives how many were published.
   */
  publish(results: readonly Published[]): Promise<number>
  /** Takes marks away that lead nowhere. */
  drop(marks: readonly WindowMark[]): Promise<void>
  /** Days of a series with `from < end <= to`, with their values, ascending. */
  days(series: SeriesKey, span: { readonly from: Millis; readonly to: Millis }): Promise<Part[]>
  find(query: AggregateQuery): Promise<Aggregate[]>
  /** The greatest end of an hour of any of the series that is published or marked; null where there is none. */
  newest(series: readonly SeriesKey[]): Promise<Millis | null>
  /** Windows of the query that are marked, due or not: open ones with readings, and those that wait to be summed up (again). */
  marked(query: AggregateQuery): Promise<WindowMark[]>
}

export interface Published {
  readonly mark: WindowMark
  readonly unit: string
  readonly summary: Summary
  /** Kept with a day, for its month. */
  readonly values: Float64Array | null
}

/** How a series is summed up, and which flow a load is made with. */
export interface SeriesTerms {
  readonly unit: string
  readonly terms: Terms
  /** The series of the flow, and what turns its unit into m3/h; null where no load is asked for. */
  readonly flow: { readonly parameter: string; readonly factor: number } | null
}

/** Undefined for a series that the registry does not know any more. */
export type TermsOf = (series: SeriesKey) => SeriesTerms | undefined
