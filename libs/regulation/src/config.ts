import { z } from 'zod'
import { STATION_CODE } from '#libs/model'

const Id = z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'an id is kebab-case, such as qcvn-40-2011')

/** A day, `2026-01-01` (from 00:00 UTC+7), or an RFC 3339 instant. What the text says is checked when it is compiled. */
const Day = z.string().min(1).max(40)

const Text = z.string().min(1).max(1_000)
const Column = z.string().min(1).max(40)

/** How sure a number is: read in the signed text; read elsewhere; from memory; not verified. Shown with every verdict that rests on it. */
const Confidence = z.enum(['official', 'high', 'medium', 'low', 'unverified'])
export type Confidence = z.infer<typeof Confidence>

/** The same for every column, or one number for each column that has one. */
const PerColumn = z.union([z.number(), z.record(Column, z.number())])
export type PerColumn = z.infer<typeof PerColumn>

/** Which mean a limit is for. `any`: the text names none (or it is not settled), so that readings and every mean are held against it. */
export const LIMIT_WINDOWS = ['any', 'hour', '8-hours', 'day', 'year'] as const
export type LimitWindow = (typeof LIMIT_WINDOWS)[number]

/** Shares of the limit at which warning begins (Envisoft's names; the shares are customary, not law). */
const Bands = z.union([z.literal('none'), z.strictObject({ tendency: z.number().gt(0).lt(1), preparing: z.number().gt(0).lt(1) })])

const Level = z.strictObject({ id: Id, name: Text, nameEn: Text.optional() })

const LimitRow = z.strictObject({
  parameter: z.string().min(1),
  unit: z.string(),
  max: PerColumn.optional(),
  min: PerColumn.optional(),
  /** True where the limit counts as soon as it is reached (flood levels: `H >= value`). */
  reached: z.boolean().default(false),
  window: z.enum(LIMIT_WINDOWS).default('any'),
  /** False: Kq and Kf do not apply to this parameter. Without meaning where the regulation has no coefficients. */
  coefficients: z.boolean().default(true),
  flowClass: z.string().min(1).optional(),
  /** Where the regulation's own make no sense: a share of degrees Celsius means nothing. */
  bands: Bands.optional(),
  level: Level.optional(),
  /** Under what it holds, in words: `ở pH = 7`. */
  condition: Text.optional(),
  validFrom: Day.optional(),
  validTo: Day.optional(),
  source: Text.optional(),
  confidence: Confidence.optional()
})
export type LimitRow = z.infer<typeof LimitRow>

/** `[most, value]`: the value holds up to and including `most`; null stands for everything above. */
const Steps = z
  .array(z.tuple([z.number().nullable(), z.number().gt(0)]))
  .min(1)
  .max(50)
export type Steps = z.infer<typeof Steps>

const Coefficients = z.strictObject({
  kq: z.strictObject({
    /** By the mean flow of the three driest months, m3/s. */
    river: Steps,
    /** By volume, 10^6 m3. */
    lake: Steps,
    canal: z.number().gt(0),
    sea: z.strictObject({ protected: z.number().gt(0), other: z.number().gt(0) }),
    /** Where no data are to be had. */
    unknown: z.strictObject({ river: z.number().gt(0), lake: z.number().gt(0) })
  }),
  /** By the discharge, m3/day. */
  kf: Steps
})
export type Coefficients = z.infer<typeof Coefficients>

const Range = z.strictObject({ min: z.number().optional(), max: z.number().optional() })

/** A classification: the first class in whose range a value lies; the last class takes what is left. */
const Classes = z.strictObject({
  order: z.array(Column).min(2).max(10),
  rows: z.array(z.strictObject({ parameter: z.string().min(1), unit: z.string(), within: z.record(Column, Range) })).max(1_000)
})
export type Classes = z.infer<typeof Classes>

/** Until when who was there before may stay with a regulation that has been replaced. */
const Transition = z.strictObject({ operatingBefore: Day, until: Day, source: Text })

/** `registry/regulations/<id>.yaml`: one legal text as dated data. */
export const Regulation = z.strictObject({
  id: Id,
  /** As it is cited: `QCVN 40:2011/BTNMT`. */
  title: Text,
  name: Text,
  nameEn: Text,
  /** By which act, and since when. */
  issued: Text,
  /** Of the data in this file; rises with each correction of them. */
  edition: z.int().min(1).default(1),
  validFrom: Day,
  validTo: Day.optional(),
  transition: Transition.optional(),
  successor: Id.optional(),
  columns: z.array(Column).max(50).default([]),
  flowClasses: z.array(z.string().min(1)).max(20).default([]),
  coefficients: Coefficients.optional(),
  bands: Bands.default({ tendency: 0.8, preparing: 0.9 }),
  source: Text,
  confidence: Confidence,
  limits: z.array(LimitRow).max(5_000),
  classes: Classes.optional()
})
export type Regulation = z.infer<typeof Regulation>

const OwnLimit = z.strictObject({
  parameter: z.string().min(1),
  unit: z.string(),
  max: z.number().optional(),
  min: z.number().optional(),
  source: Text.optional()
})
export type OwnLimit = z.infer<typeof OwnLimit>

/** What the discharge runs into; decides Kq where the permit does not name it. */
const Receiving = z.union([
  z.strictObject({ river: z.union([z.number().min(0), z.literal('unknown')]) }),
  z.strictObject({ lake: z.union([z.number().min(0), z.literal('unknown')]) }),
  z.strictObject({ canal: z.literal(true) }),
  z.strictObject({ sea: z.enum(['protected', 'other']) })
])
export type Receiving = z.infer<typeof Receiving>

/** What binds one station from a day on. The permit that begins last is the one that counts. */
export const Permit = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$/, 'an id has 1 to 80 letters, digits, _, . and -'),
  station: z.string().regex(STATION_CODE, 'not a station code'),
  /** Number and date of the permit, or of the decision that fixes the level. */
  document: Text,
  regulation: Id,
  column: Column.optional(),
  flowClass: z.string().min(1).optional(),
  kq: z.number().gt(0).max(10).optional(),
  kf: z.number().gt(0).max(10).optional(),
  receiving: Receiving.optional(),
  /** m3/day; decides Kf where the permit does not name it. */
  discharge: z.number().min(0).optional(),
  /** Since when the facility operates: decides whether it may stay with a regulation that has been replaced. */
  operatingSince: Day.optional(),
  /** Limits of the permit's own; they win over the table. */
  own: z.array(OwnLimit).max(200).default([]),
  /** Only these; all that the station measures where nothing is said. */
  parameters: z.array(z.string().min(1)).min(1).max(200).optional(),
  validFrom: Day,
  validTo: Day.optional()
})
export type Permit = z.infer<typeof Permit>
