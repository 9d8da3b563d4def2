import { canonicalUnit, findParameter, fingerprintOf, parseDayOrInstant, valueIn } from '#libs/model'
import type { LimitRow, PerColumn } from './config.js'
import { Regulation } from './config.js'
import type { RegulationTable, TableLimit, Validity } from './document.js'

/** Tells what is wrong at which place of the document. */
export type Report = (path: string, message: string) => void

/** A regulation's document, checked in its shape and then in what it says; undefined, and reported, where it cannot be used. */
export function readRegulation(raw: unknown, report: Report): RegulationTable | undefined {
  const parsed = Regulation.safeParse(raw)
  if (!parsed.success) {
    for (const issue of parsed.error.issues) report(issue.path.map(String).join('.'), issue.message)
    return undefined
  }
  const { data } = parsed
  const validity = validityOf(data, '', report)
  const limits = data.limits.flatMap((row, index) => limitsOf(row, data, (path, message) => report(`limits.${index}${path}`, message)))
  reportTwice(limits, report)
  if (data.classes) checkClasses(data.classes, report)
  return {
    id: data.id,
    title: data.title,
    name: data.name,
    nameEn: data.nameEn,
    issued: data.issued,
    edition: data.edition,
    ...validity,
    transition: transitionOf(data, report),
    successor: data.successor ?? null,
    columns: data.columns,
    flowClasses: data.flowClasses,
    coefficients: data.coefficients ?? null,
    bands: bandsOf(data.bands),
    source: data.source,
    confidence: data.confidence,
    limits,
    classes: data.classes ?? null,
    digest: fingerprintOf(JSON.stringify(data))
  }
}

/** `validFrom` and `validTo` of anything that has them. */
export function validityOf(
  { validFrom, validTo }: { readonly validFrom?: string | undefined; readonly validTo?: string | undefined },
  at: string,
  report: Report
): Validity {
  const from = validFrom === undefined ? null : instantAt(validFrom, `${at}validFrom`, report)
  const to = validTo === undefined ? null : instantAt(validTo, `${at}validTo`, report)
  if (from !== null && to !== null && from >= to) report(`${at}validTo`, 'it ends before it begins: validTo must lie after validFrom')
  return { from, to }
}

export function instantAt(text: string, path: string, report: Report): number | null {
  const at = parseDayOrInstant(text)
  if (at === undefined) report(path, `'${text}' is neither a day such as 2026-01-01 nor an RFC 3339 instant`)
  return at ?? null
}

/** `value` in the parameter's canonical unit; undefined, and reported, where that is not possible. */
export function inCanonicalUnit(
  { parameter, unit }: { readonly parameter: string; readonly unit: string },
  report: Report
): ((value: number) => number) | undefined {
  const known = findParameter(parameter)
  if (!known) report('.parameter', `the model has no parameter '${parameter}'`)
  const from = canonicalUnit(unit)
  const fits = known && from !== undefined && valueIn(1, from, known.unit) !== undefined
  if (known && !fits) report('.unit', `'${unit}' cannot be converted into ${known.unit}, the unit of ${parameter}`)
  return fits ? value => valueIn(value, from, known.unit) ?? value : undefined
}

export function checkRange(range: { readonly min?: number | undefined; readonly max?: number | undefined }, report: Report): void {
  const { min, max } = range
  if (min === undefined && max === undefined) report('', 'it has neither min nor max')
  if (min !== undefined && max !== undefined && min >= max) report('', `min ${min} is not below max ${max}`)
}

function limitsOf(row: LimitRow, regulation: Regulation, report: Report): TableLimit[] {
  const convert = inCanonicalUnit(row, report)
  const validity = validityOf(row, '.', report)
  if (row.flowClass !== undefined && !regulation.flowClasses.includes(row.flowClass))
    report('.flowClass', `the regulation has no flow class '${row.flowClass}'; it has ${listOf(regulation.flowClasses)}`)
  const unit = findParameter(row.parameter)?.unit
  if (!convert || unit === undefined) return []
  return columnsOf(row, regulation, report).map(column => {
    const [min, max] = [at(row.min, column), at(row.max, column)]
    checkRange({ min, max }, report)
    return {
      parameter: row.parameter,
      unit,
      min: min === undefined ? null : convert(min),
      max: max === undefined ? null : convert(max),
      column,
      flowClass: row.flowClass ?? null,
      window: row.window,
      reached: row.reached,
      coefficients: regulation.coefficients !== undefined && row.coefficients,
      bands: bandsOf(row.bands ?? regulation.bands),
      level: row.level ? { id: row.level.id, name: row.level.name } : null,
      condition: row.condition ?? null,
      source: row.source ?? null,
      confidence: row.confidence ?? regulation.confidence,
      ...validity
    }
  })
}

const bandsOf = (bands: Regulation['bands']): RegulationTable['bands'] => (bands === 'none' ? null : bands)

const at = (value: PerColumn | undefined, column: string | null): number | undefined =>
  typeof value === 'object' ? (column === null ? undefined : value[column]) : value

/** The columns that a row has a number for; one without a name where the regulation has no columns. */
function columnsOf(row: LimitRow, { columns }: Regulation, report: Report): (string | null)[] {
  const named = [row.min, row.max].flatMap(value => (typeof value === 'object' ? Object.keys(value) : []))
  for (const column of new Set(named))
    if (!columns.includes(column)) report('', `the regulation has no column '${column}'; it has ${listOf(columns)}`)
  if (columns.length === 0) return [null]
  const whole = [row.min, row.max].some(value => typeof value === 'number')
  return whole ? [...columns] : columns.filter(column => named.includes(column))
}

export const listOf = (names: readonly string[]): string => (names.length > 0 ? names.join(', ') : 'none')

function transitionOf({ transition }: Regulation, report: Report): RegulationTable['transition'] {
  if (!transition) return null
  const operatingBefore = instantAt(transition.operatingBefore, 'transition.operatingBefore', report)
  const until = instantAt(transition.until, 'transition.until', report)
  return operatingBefore === null || until === null ? null : { operatingBefore, until, source: transition.source }
}

/** Two numbers for one quantity at one time would leave it to chance which of them binds. */
function reportTwice(limits: readonly TableLimit[], report: Report): void {
  const groups = new Map<string, TableLimit[]>()
  for (const limit of limits) {
    const { parameter, column, flowClass, window, level } = limit
    const key = JSON.stringify([parameter, column, flowClass, window, level?.id])
    const group = groups.get(key) ?? []
    if (group.some(other => overlap(other, limit)))
      report('limits', `${parameter}${column === null ? '' : `, column ${column}`}: two limits for the same time`)
    groups.set(key, [...group, limit])
  }
}

const overlap = (a: Validity, b: Validity): boolean =>
  (a.from ?? -Infinity) < (b.to ?? Infinity) && (b.from ?? -Infinity) < (a.to ?? Infinity)

function checkClasses({ order, rows }: NonNullable<Regulation['classes']>, report: Report): void {
  rows.forEach((row, index) => {
    inCanonicalUnit(row, (path, message) => report(`classes.rows.${index}${path}`, message))
    for (const name of Object.keys(row.within))
      if (!order.includes(name)) report(`classes.rows.${index}.within`, `there is no class '${name}'; the classes are ${listOf(order)}`)
  })
}
