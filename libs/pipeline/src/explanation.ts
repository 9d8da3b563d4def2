import type { Window } from '#libs/aggregates'
import { windowAt } from '#libs/aggregates'
import type { Millis, SeriesKey } from '#libs/model'
import { HOUR, isUsable } from '#libs/model'
import type { Question, Rows } from '#libs/regulation'
import type { SeriesTerms } from './aggregate-ports.js'
import type { Aggregator } from './aggregator.js'
import type { TimeSeriesStore } from './ports.js'
import type { Standards, StandardVerdict } from './standards.js'

/** One verdict of a series at an instant with everything that it rests on. */
export interface Explained {
  readonly question: Question
  readonly judged: StandardVerdict
  /** The readings used; null where a value was put in by hand. */
  readonly rows: Rows | null
}

interface Ports {
  readonly store: Pick<TimeSeriesStore, 'range'>
  readonly aggregator: Pick<Aggregator, 'sumUp'>
  readonly standards: Standards
  readonly known: SeriesTerms
}

/** A reading older than this is not what a station measured then. */
const NEAR: Millis = HOUR
const PAGE = 10_000

/** The verdicts of the newest reading at an instant, of its hour and of its day, as readings and law give them now. */
export async function explainAt(series: SeriesKey, at: Millis, { store, aggregator, standards, known }: Ports): Promise<Explained[]> {
  const readings = await store.range({ ...series, from: at - NEAR, to: at + 1, limit: PAGE })
  const reading = readings.at(-1)
  const value = reading && isUsable(reading) ? reading.value : null
  const unit = reading?.unit ?? known.unit
  const asked: Question = { ...series, at: reading?.at ?? at, value, unit, window: 'reading' }
  const rows: Rows = { count: reading ? 1 : 0, start: asked.at, end: asked.at }
  const explained: Explained[] = [{ question: asked, judged: standards.judge(asked), rows }]
  for (const period of ['hour', 'day'] as const) {
    const window = windowAt(period, at, known.terms.dayRule)
    explained.push(await explainWindow(series, { ...window, period }, { aggregator, standards, known }))
  }
  return explained
}

async function explainWindow(
  series: SeriesKey,
  window: Window & { readonly period: 'hour' | 'day' },
  { aggregator, standards, known }: Pick<Ports, 'aggregator' | 'standards' | 'known'>
): Promise<Explained> {
  const { summary } = await aggregator.sumUp(series, window, known)
  const question: Question = { ...series, at: window.end - 1, value: summary.mean, unit: known.unit, window: window.period }
  return { question, judged: standards.judge(question), rows: { count: summary.count, start: window.start, end: window.end } }
}

const BY_HAND = ['reading', 'hour', 'day'] as const

interface Inquiry {
  readonly at: Millis
  /** In the series' unit. */
  readonly value: number
}

/** What would be said of a value that somebody asks about: as a reading, as the mean of an hour, as that of a day. */
export function explainValue(series: SeriesKey, inquiry: Inquiry, { standards, known }: Pick<Ports, 'standards' | 'known'>): Explained[] {
  return BY_HAND.map(window => {
    const question: Question = { ...series, ...inquiry, unit: known.unit, window }
    return { question, judged: standards.judge(question), rows: null }
  })
}
