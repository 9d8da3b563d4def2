import type { z } from 'zod'
import { formatInstant, SECOND } from '#libs/model'
import { csvLines } from './csv.js'
import type { SeriesGap } from './ledger-gaps.js'
import type { ForwardedLine } from './ledger-lines.js'
import type { GapView, LedgerView } from './ledger-schemas.js'

const dateOf = (day: number): string => formatInstant(day).slice(0, 10)

export function ledgerView(line: ForwardedLine): z.infer<typeof LedgerView> {
  const { station, day, measured, ...counts } = line
  return { station: station === '' ? null : station, day: dateOf(day), ...counts, balanced: line.open >= 0, measured }
}

const COLUMNS = ['received', 'stored', 'replaced', 'duplicate', 'conflicting', 'setAside', 'refused', 'open', 'late', 'clockAhead'] as const
const MEASURED = ['expected', 'stored', 'missing', 'late', 'calibrating', 'fault', 'otherStatus'] as const

/** `refusedBy` as `reason=count`, separated by spaces. */
export function ledgerCsv(lines: readonly ForwardedLine[]): string {
  const columns = [
    'station',
    'day',
    'mqtt',
    'http',
    'file',
    ...COLUMNS,
    'forwarded',
    'refusedBy',
    ...MEASURED.map(name => `measured_${name}`)
  ]
  return csvLines(
    columns,
    lines.map(line => [
      line.station,
      dateOf(line.day),
      line.byRoad.mqtt,
      line.byRoad.http,
      line.byRoad.file,
      ...COLUMNS.map(name => line[name]),
      line.forwarded,
      Object.entries(line.refusedBy)
        .map(([reason, count]) => `${reason}=${count}`)
        .join(' '),
      ...MEASURED.map(name => line.measured[name])
    ])
  )
}

export function gapView({ station, parameter, day, from, to, open, cause, parts }: SeriesGap): z.infer<typeof GapView> {
  return {
    station,
    parameter,
    day: dateOf(day),
    from: formatInstant(from),
    to: formatInstant(to),
    seconds: (to - from) / SECOND,
    open,
    cause,
    parts: parts.map(part => ({ cause: part.cause, from: formatInstant(part.from), to: formatInstant(part.to) }))
  }
}

const GAP_COLUMNS = ['station', 'parameter', 'day', 'from', 'to', 'seconds', 'open', 'cause'] as const

export function gapsCsv(gaps: readonly SeriesGap[]): string {
  return csvLines(
    GAP_COLUMNS,
    gaps.map(gap => {
      const view = gapView(gap)
      return GAP_COLUMNS.map(column => view[column])
    })
  )
}
