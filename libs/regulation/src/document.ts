import type { Millis } from '#libs/model'
import type { Classes, Coefficients, Confidence, LimitWindow, Receiving } from './config.js'

/** A span of time, `from <= at < to`; null is without end on that side. */
export interface Validity {
  readonly from: Millis | null
  readonly to: Millis | null
}

/** One limit of a table for one column: a number of the text, before any coefficient. */
export interface TableLimit extends Validity {
  readonly parameter: string
  /** Canonical unit of the parameter; the text's own numbers stand in `base`. */
  readonly unit: string
  readonly min: number | null
  readonly max: number | null
  readonly column: string | null
  readonly flowClass: string | null
  readonly window: LimitWindow
  readonly reached: boolean
  readonly coefficients: boolean
  readonly bands: RegulationTable['bands']
  readonly level: { readonly id: string; readonly name: string } | null
  readonly condition: string | null
  readonly source: string | null
  readonly confidence: Confidence
}

/** A legal text as the product holds it: checked, in canonical units. */
export interface RegulationTable extends Validity {
  readonly id: string
  readonly title: string
  readonly name: string
  readonly nameEn: string
  readonly issued: string
  readonly edition: number
  readonly transition: { readonly operatingBefore: Millis; readonly until: Millis; readonly source: string } | null
  readonly successor: string | null
  readonly columns: readonly string[]
  readonly flowClasses: readonly string[]
  readonly coefficients: Coefficients | null
  readonly bands: { readonly tendency: number; readonly preparing: number } | null
  readonly source: string
  readonly confidence: Confidence
  readonly limits: readonly TableLimit[]
  readonly classes: Classes | null
  /** Of the contents: two editions with other numbers have another one. */
  readonly digest: string
}

export interface OwnTerms {
  readonly parameter: string
  readonly unit: string
  readonly min: number | null
  readonly max: number | null
  readonly source: string | null
}

/** What binds a station, checked. */
export interface PermitTerms extends Validity {
  readonly id: string
  readonly station: string
  readonly document: string
  readonly regulation: string
  readonly column: string | null
  readonly flowClass: string | null
  readonly kq: number | null
  readonly kf: number | null
  readonly receiving: Receiving | null
  readonly discharge: number | null
  readonly operatingSince: Millis | null
  readonly own: readonly OwnTerms[]
  readonly parameters: readonly string[] | null
  readonly digest: string
}

export const covers = ({ from, to }: Validity, at: Millis): boolean => (from === null || at >= from) && (to === null || at < to)
