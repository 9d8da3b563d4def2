import { z } from 'zod'
import { CORRECTION_EVENTS, CORRECTION_STATES, MAX_NAME, MAX_TEXT, MAX_VALUES } from '#libs/corrections'
import { CursorParameter, Instant, InstantParameter, limitOf, list, StationCodeParameter } from './schemas.js'

const parameter = z.string().min(1).max(40)
const STEPS = ['submit', 'approve', 'reject', 'cancel', 'reopen'] as const

export const CorrectionPath = z.object({ id: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER) })
export const CorrectionStepPath = CorrectionPath.extend({ step: z.enum(STEPS) })
export const CorrectionsQuery = z.object({
  limit: limitOf(100),
  after: CursorParameter,
  station: StationCodeParameter.optional(),
  parameter: parameter.optional(),
  state: z.enum(CORRECTION_STATES).optional()
})

const span = { from: InstantParameter, to: InstantParameter }
const flag = z.union([z.literal(1), z.literal(2), z.literal(3), z.literal(4)])
const ChangeBody = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('replace'),
    values: z
      .array(z.strictObject({ at: InstantParameter, value: z.number() }))
      .min(1)
      .max(MAX_VALUES)
  }),
  z.strictObject({ kind: z.literal('remove'), ...span }),
  z.strictObject({ kind: z.literal('scale'), ...span, factor: z.number(), offset: z.number().default(0) }),
  z.strictObject({ kind: z.literal('set-flag'), ...span, flag })
])
const reason = z.string().min(1).max(MAX_TEXT)
/** Who acts, where the token stands for a desk and not for a person. */
const by = z.string().min(1).max(MAX_NAME).optional()
/** The version that was seen: another one stands when somebody else was quicker. */
const version = z.number().int().min(1)
const comment = z.string().max(MAX_TEXT).optional()
export const NewCorrectionBody = z.strictObject({ station: StationCodeParameter, parameter, change: ChangeBody, reason, by })
export const EditCorrectionBody = z.strictObject({ version, change: ChangeBody, reason, comment, by })
export const CorrectionStepBody = z.strictObject({ version, comment, by })

const PersonView = z.object({
  name: z.string(),
  token: z.string().nullable().meta({ description: 'the API token that it was done with; null at the command line' })
})
const shownSpan = { from: Instant, to: Instant }
const ChangeView = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('replace'), values: z.array(z.object({ at: Instant, value: z.number() })) }),
  z.object({ kind: z.literal('remove'), ...shownSpan }),
  z.object({ kind: z.literal('scale'), ...shownSpan, factor: z.number(), offset: z.number() }),
  z.object({ kind: z.literal('set-flag'), ...shownSpan, flag })
])
const state = z.enum(CORRECTION_STATES)
export const CorrectionView = z
  .object({
    id: z.number().int(),
    station: z.string(),
    parameter: z.string(),
    state,
    stateCode: z.number().int().meta({ description: 'the ministry’s: DRAFT 0, WAIT_FOR_APPROVE 2, REJECTED 3, ACCEPTED 4, CANCELLED 5' }),
    version: z.number().int(),
    change: ChangeView,
    reason: z.string(),
    author: PersonView,
    writers: z.array(PersonView).meta({ description: 'everybody who wrote what stands in it: none of them approves it' }),
    approver: PersonView.nullable(),
    createdAt: Instant,
    changedAt: Instant,
    acceptedAt: Instant.nullable().meta({ description: 'from then on part of the corrected series' }),
    withdrawnAt: Instant.nullable().meta({ description: 'when an accepted one was cancelled: from then on no part of it' })
  })
  .meta({ id: 'Correction' })
const EntryView = z
  .object({
    version: z.number().int(),
    event: z.enum(['create', ...CORRECTION_EVENTS]),
    at: Instant,
    by: PersonView,
    state,
    comment: z.string().nullable(),
    change: ChangeView.nullable(),
    reason: z.string().nullable()
  })
  .meta({ id: 'CorrectionEntry' })
export const CorrectionWithHistory = CorrectionView.extend({ history: z.array(EntryView) }).meta({ id: 'CorrectionWithHistory' })
export const CorrectionList = list(CorrectionView)
export type EntryJson = z.infer<typeof EntryView>
export type ChangeJson = z.infer<typeof ChangeView>
