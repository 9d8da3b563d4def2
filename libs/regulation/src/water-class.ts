import { findParameter, valueIn } from '#libs/model'
import type { RegulationTable } from './document.js'

export interface ParameterClass {
  readonly parameter: string
  readonly value: number
  readonly unit: string
  readonly class: string
}

/** Class of a water body from what was measured in it. An indicator for review. */
export interface WaterClass {
  readonly regulation: string
  readonly title: string
  /** Worst class of its parameters; null where none of the table's was measured. */
  readonly class: string | null
  /** Those in the worst class. */
  readonly deciding: readonly string[]
  readonly parameters: readonly ParameterClass[]
  /** Of the table, but not among the values. */
  readonly missing: readonly string[]
}

/**
 * Classifies values, in canonical units by parameter, by a regulation's table (QCVN 08:2023/BTNMT, table 2: rivers, streams, canals;
 * regulations.md 4.1). The class of a site is the worst of its parameters [inferred]. It says how good the water is and is no limit.
 * Null where the regulation classifies nothing.
 */
export function waterClass({ id, title, classes }: RegulationTable, values: ReadonlyMap<string, number>): WaterClass | null {
  if (!classes) return null
  const parameters: ParameterClass[] = []
  const missing: string[] = []
  for (const { parameter, unit, within } of classes.rows) {
    const canonical = findParameter(parameter)?.unit ?? unit
    const value = values.get(parameter)
    const compared = value === undefined ? undefined : valueIn(value, canonical, unit)
    if (value === undefined || compared === undefined) missing.push(parameter)
    else parameters.push({ parameter, value, unit: canonical, class: classOf(compared, classes.order, within) })
  }
  const rank = ({ class: name }: ParameterClass): number => classes.order.indexOf(name)
  const worst = parameters.reduce((most, one) => Math.max(most, rank(one)), -1)
  const deciding = parameters.filter(one => rank(one) === worst).map(({ parameter }) => parameter)
  return { regulation: id, title, class: classes.order[worst] ?? null, deciding, parameters, missing }
}

interface Range {
  readonly min?: number | undefined
  readonly max?: number | undefined
}

function classOf(value: number, order: readonly string[], within: Readonly<Record<string, Range>>): string {
  const found = order.find(name => {
    const range = within[name]
    return range && value >= (range.min ?? -Infinity) && value <= (range.max ?? Infinity)
  })
  return found ?? order.at(-1) ?? ''
}
