import type { Limit, LimitTerms, Millis } from '#libs/model'
import { limitOf } from '#libs/model'
import type { Confidence, LimitWindow } from './config.js'
import type { OwnTerms, PermitTerms, RegulationTable, TableLimit } from './document.js'
import { covers } from './document.js'

/** Why a series has no limit. All of them are shown as "no limit loaded", never as compliant. */
export type NoLimit =
  | 'no-permit' // nobody loaded what binds the station
  | 'not-in-force' // the regulation begins later
  | 'replaced' // the regulation has ended and the facility may not stay with it
  | 'no-limit-loaded' // the regulation's table is empty here: staff load it from the official text
  | 'not-regulated' // the table has no line for the parameter, column or flow class

/** What a verdict rests on, as it is named to people and programs. */
export interface Basis {
  /** Id and title of the regulation; of a limit of the permit's own too, as the text that the permit applies. */
  readonly regulation: string
  readonly title: string
  readonly column: string | null
  readonly flowClass: string | null
  /** Null where none applies to the parameter. */
  readonly kq: number | null
  readonly kf: number | null
  /** Numbers of the text before coefficients, in the limit's unit. */
  readonly base: { readonly min: number | null; readonly max: number | null }
  readonly permit: string
  readonly document: string
  /** True: the permit's own number, which wins over the table. */
  readonly own: boolean
  readonly condition: string | null
  readonly source: string
  readonly confidence: Confidence
  /** `id@edition/digest` of the regulation's data and the digest of the permit: other numbers, another version. */
  readonly version: string
}

export interface LegalTerms extends LimitTerms {
  readonly window: LimitWindow
  readonly basis: Basis
}

export type LegalLimit = Limit & LegalTerms

interface Place {
  readonly regulation: RegulationTable
  readonly permit: PermitTerms
  readonly parameter: string
  readonly at: Millis
  readonly from: Millis | null
  readonly to: Millis | null
}

/** The limits of a parameter under a permit at an instant, valid over the span given; or why there are none. */
export function legalLimits(place: Place): readonly LegalLimit[] | NoLimit {
  const { regulation, permit, parameter, at } = place
  const own = permit.own.find(limit => limit.parameter === parameter)
  if (own) return [limitOf(ownTerms(own, place))]
  const gap = availability(place)
  if (gap) return gap
  const rows = regulation.limits.filter(
    limit =>
      limit.parameter === parameter &&
      covers(limit, at) &&
      (limit.column === null || limit.column === permit.column) &&
      (limit.flowClass === null || limit.flowClass === permit.flowClass)
  )
  if (rows.length === 0) return regulation.limits.length === 0 ? 'no-limit-loaded' : 'not-regulated'
  return rows.map(row => limitOf(tableTerms(row, place)))
}

/**
 * A regulation that has been replaced still binds who was there before, until the transition ends (QCVN 40:2025 lets facilities that
 * operated before 2025-09-01 stay with the old text until 2031-12-31; regulations.md 3.2).
 */
function availability({ regulation, permit, at }: Place): NoLimit | null {
  if (regulation.from !== null && at < regulation.from) return 'not-in-force'
  if (regulation.to === null || at < regulation.to) return null
  const { transition } = regulation
  if (!transition || at >= transition.until) return 'replaced'
  return permit.operatingSince !== null && permit.operatingSince < transition.operatingBefore ? null : 'replaced'
}

/** Cmax = C x Kq x Kf (QCVN 40:2011/BTNMT, 2.2), to 12 digits: 150 x 1.1 x 0.9 is 148.5. */
function cmax(value: number | null, kq: number | null, kf: number | null): number | null {
  return value === null ? null : Number((value * (kq ?? 1) * (kf ?? 1)).toPrecision(12))
}

function tableTerms(row: TableLimit, place: Place): LegalTerms {
  const { regulation, permit } = place
  const [kq, kf] = row.coefficients ? [permit.kq, permit.kf] : [null, null]
  const basis: Basis = {
    ...namedBy(place),
    column: row.column,
    flowClass: row.flowClass,
    kq,
    kf,
    base: { min: row.min, max: row.max },
    own: false,
    condition: row.condition,
    source: row.source ?? regulation.source,
    confidence: row.confidence
  }
  const terms = { ...row, low: cmax(row.min, kq, kf), high: cmax(row.max, kq, kf) }
  return { ...termsOf(terms, place), window: row.window, basis, source: citation(basis, row.unit) }
}

function ownTerms(own: OwnTerms, place: Place): LegalTerms {
  const { permit } = place
  const basis: Basis = {
    ...namedBy(place),
    column: permit.column,
    flowClass: null,
    kq: null,
    kf: null,
    base: { min: own.min, max: own.max },
    own: true,
    condition: null,
    source: own.source ?? permit.document,
    confidence: 'official'
  }
  const { bands } = place.regulation
  const terms = { parameter: own.parameter, unit: own.unit, low: own.min, high: own.max, reached: false, level: null, bands }
  return { ...termsOf(terms, place), window: 'any', basis, source: citation(basis, own.unit) }
}

const namedBy = ({ regulation, permit }: Place): Pick<Basis, 'regulation' | 'title' | 'permit' | 'document' | 'version'> => ({
  regulation: regulation.id,
  title: regulation.title,
  permit: permit.id,
  document: permit.document,
  version: `${regulation.id}@${regulation.edition}/${regulation.digest}+${permit.digest}`
})

interface Numbers {
  readonly parameter: string
  readonly unit: string
  readonly low: number | null
  readonly high: number | null
  readonly reached: boolean
  readonly level: TableLimit['level']
  readonly bands: LimitTerms['bands']
}

/** Dead-band of a legal limit: the customary 2 % (regulations.md 7.3); it decides when an alarm is over, never whether there is one. */
const DEADBAND = 0.02

const termsOf = ({ level, ...numbers }: Numbers, { from, to }: Place): Omit<LegalTerms, 'window' | 'basis' | 'source'> => ({
  parameter: numbers.parameter,
  unit: numbers.unit,
  low: numbers.low,
  high: numbers.high,
  reached: numbers.reached,
  bands: numbers.bands,
  deadband: DEADBAND,
  severity: level?.name ?? null,
  ...(level ? { level: level.id } : {}),
  validFrom: from,
  validTo: to
})

/** In words, for people: regulation, column, coefficients, and what they come to. */
function citation(basis: Basis, unit: string): string {
  const parts = [basis.column === null ? basis.title : `${basis.title} cột ${basis.column}`]
  if (basis.flowClass !== null) parts.push(`mức lưu lượng ${basis.flowClass}`)
  parts.push(basis.own ? `giới hạn riêng ${rangeText(basis.base, unit)}` : `C = ${rangeText(basis.base, unit)}`)
  if (basis.condition !== null) parts.push(basis.condition)
  if (basis.kq !== null) parts.push(`Kq ${numberText(basis.kq)}, Kf ${numberText(basis.kf ?? 1)}`)
  parts.push(basis.document)
  return parts.join(', ')
}

const numberText = (value: number): string => String(value).replace('.', ',')

function rangeText({ min, max }: Basis['base'], unit: string): string {
  const suffix = unit === '-' ? '' : ` ${unit}`
  if (min !== null && max !== null) return `${numberText(min)}–${numberText(max)}${suffix}`
  return `${min === null ? '' : '≥ '}${numberText(max ?? min ?? 0)}${suffix}`
}
