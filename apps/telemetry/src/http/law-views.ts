import type { z } from 'zod'
import { formatInstant } from '#libs/model'
import type { Explained, LawChangeEntry, Preview } from '#libs/pipeline'
import type { LawChange, PermitTerms, RegulationTable } from '#libs/regulation'
import { explain } from '#libs/regulation'
import type { LawChangeView, LawPreview, PermitView, RegulationView, VerdictView } from './law-schemas.js'
import { instantOrNull } from './schemas.js'

interface Span {
  readonly from: number | null
  readonly to: number | null
}

const validity = ({ from, to }: Span) => ({ validFrom: instantOrNull(from), validTo: instantOrNull(to) })

export function regulationView(table: RegulationTable): z.infer<typeof RegulationView> {
  const { id, title, name, nameEn, issued, edition, digest, columns, flowClasses, source, confidence, limits } = table
  const rows = limits.map(({ parameter, unit, column, flowClass, window, level, min, max, reached, coefficients, ...row }) => ({
    ...{ parameter, unit, column, flowClass, window, level: level?.name ?? null, min, max, reached, coefficients },
    confidence: row.confidence,
    ...validity(row)
  }))
  return {
    ...{ id, title, name, nameEn, issued, edition, digest, source, confidence },
    ...validity(table),
    columns: [...columns],
    flowClasses: [...flowClasses],
    limits: rows
  }
}

export function permitView(permit: PermitTerms): z.infer<typeof PermitView> {
  const { id, station, document, regulation, column, flowClass, kq, kf, operatingSince, parameters, own } = permit
  return {
    ...{ id, station, document, regulation, column, flowClass, kq, kf },
    operatingSince: instantOrNull(operatingSince),
    parameters: parameters && [...parameters],
    own: own.map(({ parameter, unit, min, max }) => ({ parameter, unit, min, max })),
    ...validity(permit)
  }
}

export function lawChangeView({ via, ...entry }: LawChangeEntry): z.infer<typeof LawChangeView> {
  return { ...entry, from: instantOrNull(entry.from), token: via, changedAt: formatInstant(entry.changedAt) }
}

export function previewView(
  { proposed, rejudgement }: Extract<Preview, { ok: true }>,
  edition: number,
  dryRun: boolean
): z.infer<typeof LawPreview> {
  const { looked, changed, counts, examples } = rejudgement
  return {
    edition,
    dryRun,
    changes: proposed.changes.map(change => ({
      ...{ station: change.station, parameter: change.parameter },
      ...{ from: instantOrNull(change.from), to: instantOrNull(change.to) },
      ...{ before: boundsText(change.before), after: boundsText(change.after) }
    })),
    ...{ looked, changed, counts: Object.fromEntries(counts) },
    examples: examples.map(one => ({ ...one, start: formatInstant(one.start), end: formatInstant(one.end) }))
  }
}

/** The limits of a span on one line, or why there are none. */
const boundsText = ({ gap, limits }: LawChange['before']): string =>
  gap ?? limits.map(({ low, high, unit }) => `${[low, high].filter(one => one !== null).join('–')} ${unit}`).join(', ')

export function verdictView({ question, judged, rows }: Explained): z.infer<typeof VerdictView> {
  const { limit, legal, verdict } = judged
  const { value, unit, window } = question
  return {
    window: window === 'hour' || window === 'day' ? window : 'reading',
    ...{ verdict, reason: legal?.reason ?? null, value, unit },
    rows: rows && { count: rows.count, start: formatInstant(rows.start), end: formatInstant(rows.end) },
    limit: limit && {
      ...{ low: limit.low, high: limit.high, reached: limit.reached, unit: limit.unit },
      ...{ level: limit.severity, source: limit.source }
    },
    basis: legal?.basis ?? null,
    ...validity(legal?.span ?? { from: limit?.validFrom ?? null, to: limit?.validTo ?? null }),
    text: { vi: lines(question, legal, rows, 'vi'), en: lines(question, legal, rows, 'en') }
  }
}

const lines = (question: Explained['question'], legal: Explained['judged']['legal'], rows: Explained['rows'], language: 'vi' | 'en') =>
  legal ? explain(question, legal, rows, language) : []
