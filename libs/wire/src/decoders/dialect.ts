import { z } from 'zod'
import type { RefusalReason } from '../refusal.js'
import { excerpt } from '../refusal.js'

/** What a device says about one parameter, its dialect taken away. */
export interface Given {
  readonly value: number
  /** As sent; undefined = the profile's. */
  readonly unit: string | undefined
  /** Two digits; undefined = not sent. */
  readonly status: string | undefined
}

/** One instant of a station: a whole message, or an item of a batch. */
export interface Item {
  readonly at: string | number
  readonly revision: number
  /** The station's code where the dialect repeats it in the payload. */
  readonly station: string | undefined
  /** Parameter's name → whatever stands there. Own keys only, so `__proto__` is a name like any other. */
  readonly readings: Readonly<Record<string, unknown>>
}

/** What is wrong, in one of the places that an item or a reading has. */
export interface Problem {
  readonly reason: RefusalReason
  readonly detail: string
}

/** What is wrong with an item as a whole, and the readings that it takes with it. */
export interface ItemProblem extends Problem {
  readonly at: unknown
  readonly names: readonly string[]
}

/**
 * A way to write readings as JSON. Each `plain…` is the fast look at what nearly every message is, and answers undefined
 * for anything else; each `check…` is the zod schema, which has the last word and names what is wrong. Where `plain…`
 * answers, `check…` answers the same (a property test holds them together).
 */
export interface Dialect {
  plainItem(raw: unknown): Item | undefined
  checkItem(raw: unknown): Item | ItemProblem
  plainReading(raw: unknown): Given | undefined
  checkReading(raw: unknown, textNumbers: boolean): Given | Problem
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const isRevision = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 65_535

const isDigit = (code: number): boolean => code >= 48 && code <= 57
export const isStatus = (value: unknown): value is string =>
  typeof value === 'string' && value.length === 2 && isDigit(value.charCodeAt(0)) && isDigit(value.charCodeAt(1))

export const isPlainNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)

export const At = z.union([z.string(), z.number()])
export const Revision = z.int().min(0).max(65_535)
export const Status = z.string().regex(/^\d\d$/)
export const Unit = z.string()
export const Value = z.number()

/** A decimal number written as text; taken only where the profile says that the device does so. A decimal comma is no number. */
export const TextValue = z.union([
  z.number(),
  z
    .string()
    .trim()
    .max(40)
    .regex(/^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/)
    .transform(Number)
    .pipe(z.number())
])

/** The readings of an item: any object. Not z.record, which drops a key called `__proto__` instead of refusing it. */
export const Readings = z.custom<Readonly<Record<string, unknown>>>(isRecord)

type Reasons = Readonly<Record<string, RefusalReason>>

/** What zod found first, in a word of ours: `reasons` says which place stands for what. */
export function problemOf(error: z.ZodError, raw: unknown, reasons: Reasons, otherwise: RefusalReason): Problem {
  const places = error.issues.map(issue => String(issue.path[0] ?? ''))
  const place = Object.keys(reasons).find(name => places.includes(name))
  if (place === undefined) return { reason: otherwise, detail: excerpt(raw) }
  return { reason: reasons[place] as RefusalReason, detail: excerpt(isRecord(raw) ? raw[place] : raw) }
}
