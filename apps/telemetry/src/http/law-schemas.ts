import { z } from 'zod'
import { LAW_KINDS } from '#libs/pipeline'
import { CursorParameter, Instant, InstantParameter, limitOf, list, StationCodeParameter, VERDICTS } from './schemas.js'

const Verdict = z.enum(VERDICTS)
const InstantOrNull = Instant.nullable()
const bound = z.number().nullable()

export const PermitsQuery = z.object({ station: StationCodeParameter.optional() })
export const LawChangesQuery = z.object({ limit: limitOf(100), after: CursorParameter })
export const VerdictsQuery = z.object({
  at: InstantParameter.optional(),
  /** In the parameter's unit: what would be said of it. */
  value: z.coerce.number().optional()
})
export const LawChangeBody = z.strictObject({
  kind: z.enum(LAW_KINDS),
  /** A regulation or a permit as its file would have it; null withdraws the one of `id`. */
  document: z.looseObject({}).nullable(),
  id: z.string().min(1).max(80).optional(),
  reason: z.string().trim().min(1).max(2_000),
  /** Who answers for it, where the token stands for a desk and not for a person. */
  by: z.string().trim().min(1).max(100).optional(),
  /** True: shows what it would change, and changes nothing. */
  dryRun: z.boolean().default(true),
  /** The edition that the dry run was told of: refused where another change came in between. */
  edition: z.int().min(0).optional()
})

const Validity = { validFrom: InstantOrNull, validTo: InstantOrNull }
const LimitRowView = z.object({
  parameter: z.string(),
  unit: z.string(),
  column: z.string().nullable(),
  flowClass: z.string().nullable(),
  window: z.string(),
  level: z.string().nullable(),
  min: bound,
  max: bound,
  reached: z.boolean(),
  coefficients: z.boolean(),
  confidence: z.string(),
  ...Validity
})
export const RegulationView = z
  .object({
    id: z.string(),
    title: z.string(),
    name: z.string(),
    nameEn: z.string(),
    issued: z.string(),
    edition: z.number().int(),
    digest: z.string(),
    ...Validity,
    columns: z.array(z.string()),
    flowClasses: z.array(z.string()),
    source: z.string(),
    confidence: z.string(),
    limits: z.array(LimitRowView)
  })
  .meta({ id: 'Regulation', description: 'A legal text as dated data; without a line of limits nobody has loaded its table' })
export const RegulationList = list(RegulationView)

export const PermitView = z
  .object({
    id: z.string(),
    station: z.string(),
    document: z.string(),
    regulation: z.string(),
    column: z.string().nullable(),
    flowClass: z.string().nullable(),
    kq: bound,
    kf: bound,
    operatingSince: InstantOrNull,
    parameters: z.array(z.string()).nullable(),
    own: z.array(z.object({ parameter: z.string(), unit: z.string(), min: bound, max: bound })),
    ...Validity
  })
  .meta({ id: 'Permit', description: 'What binds a station from a day on; the permit that begins last counts' })
export const PermitList = list(PermitView)

const ChangedSpan = z.object({
  station: z.string(),
  parameter: z.string(),
  from: InstantOrNull,
  to: InstantOrNull,
  before: z.string(),
  after: z.string()
})
const RejudgedView = z.object({
  station: z.string(),
  parameter: z.string(),
  period: z.enum(['hour', 'day']),
  start: Instant,
  end: Instant,
  mean: z.number(),
  unit: z.string(),
  before: Verdict,
  after: Verdict
})
export const LawPreview = z
  .object({
    edition: z.number().int().meta({ description: 'of the law after it; of a dry run, that it was checked against' }),
    dryRun: z.boolean(),
    changes: z.array(ChangedSpan),
    looked: z.number().int(),
    changed: z.number().int(),
    counts: z.record(z.string(), z.number().int()),
    examples: z.array(RejudgedView)
  })
  .meta({ id: 'LawChangePreview', description: 'What a change does to limits, and to the verdicts of published hours and days' })

export const LawChangeView = z
  .object({
    edition: z.number().int(),
    kind: z.enum(LAW_KINDS),
    key: z.string(),
    document: z.unknown(),
    from: InstantOrNull,
    author: z.string(),
    token: z.string().nullable(),
    reason: z.string(),
    changedAt: Instant
  })
  .meta({ id: 'LawChange' })
export const LawChangeList = list(LawChangeView)

const BasisView = z.object({
  regulation: z.string(),
  title: z.string(),
  column: z.string().nullable(),
  flowClass: z.string().nullable(),
  kq: bound,
  kf: bound,
  base: z.object({ min: bound, max: bound }),
  permit: z.string(),
  document: z.string(),
  own: z.boolean(),
  condition: z.string().nullable(),
  source: z.string(),
  confidence: z.string(),
  version: z.string()
})
export const VerdictView = z
  .object({
    window: z.enum(['reading', 'hour', 'day']),
    verdict: Verdict,
    reason: z.string().nullable(),
    value: bound,
    unit: z.string(),
    rows: z.object({ count: z.number().int(), start: Instant, end: Instant }).nullable(),
    limit: z
      .object({ low: bound, high: bound, reached: z.boolean(), unit: z.string(), level: z.string().nullable(), source: z.string() })
      .nullable(),
    basis: BasisView.nullable().meta({ description: 'null where no limit of the law decided' }),
    ...Validity,
    text: z.object({ vi: z.array(z.string()), en: z.array(z.string()) })
  })
  .meta({ id: 'Verdict', description: 'An indicator for review, never a finding of violation, with everything that it rests on' })
export const VerdictList = z.object({ items: z.array(VerdictView) })
