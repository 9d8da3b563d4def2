import { z } from 'zod'
import type { GapCause } from '#libs/pipeline'
import { GAP_CAUSES } from '#libs/pipeline'
import { CursorParameter, Instant, inOrder, limitOf, list, StationCodeParameter, span } from './schemas.js'

/** The ledger's part of the HTTP contract: apps/telemetry/docs/ledger.md says what each column counts. */

const page = { limit: limitOf(500), after: CursorParameter }
export const LedgerQuery = z.object({ station: StationCodeParameter.optional(), ...span, ...page }).refine(...inOrder)
export const GapsQuery = z
  .object({ station: StationCodeParameter.optional(), parameter: z.string().min(1).max(40).optional(), ...span, ...page })
  .refine(...inOrder)

const Count = z.number().int().min(0)
const roads = { mqtt: Count, http: Count, file: Count }

const MeasuredView = z
  .object({
    expected: Count.nullable().meta({
      description: 'Readings that the station owes for the day so far; null for a station not in the registry'
    }),
    stored: Count.meta({ description: 'Readings of the day that are stored, whatever their status' }),
    missing: Count.nullable().meta({ description: 'expected - stored, never below 0' }),
    late: Count,
    calibrating: Count.meta({ description: 'Of those stored: status 01' }),
    fault: Count.meta({ description: 'Of those stored: status 02' }),
    otherStatus: Count.meta({ description: 'Of those stored: status 03 and above' })
  })
  .meta({ id: 'LedgerMeasured', description: 'By day of measurement' })

export const LedgerView = z
  .object({
    station: z.string().nullable(),
    day: z.string().meta({ format: 'date', description: 'Day of UTC+7; of receipt, but for what stands in `measured`' }),
    messages: z.object({ ...roads, refused: Count, repeated: Count }).meta({ description: 'Messages about readings' }),
    received: Count.meta({ description: 'Readings; a message that was refused as a whole counts as one' }),
    byRoad: z.object(roads),
    stored: Count,
    replaced: Count.meta({ description: 'Took the place of a reading of lower revision' }),
    duplicate: Count,
    conflicting: Count,
    setAside: Count.meta({ description: 'The store refused it for good' }),
    refused: Count,
    refusedBy: z.record(z.string(), Count),
    open: Count.meta({ description: 'In the journal, not yet taken by the store' }),
    late: Count.meta({ description: 'Of those stored: older than the newest of their series' }),
    clockAhead: Count.meta({ description: 'Of those stored or replaced: more than 5 minutes ahead of the server' }),
    forwarded: Count.nullable().meta({
      description: 'Readings measured on this day that the warehouse has, in the hours that it holds; null while nothing is forwarded'
    }),
    balanced: z.boolean(),
    measured: MeasuredView
  })
  .meta({
    id: 'LedgerLine',
    description: 'received = stored + replaced + duplicate + conflicting + setAside + refused + open'
  })

const Cause = z.enum(GAP_CAUSES as [GapCause, ...GapCause[]])

export const GapView = z
  .object({
    station: z.string(),
    parameter: z.string(),
    day: z.string().meta({ format: 'date', description: 'Day of UTC+7 to which the gap is cut' }),
    from: Instant,
    to: Instant,
    seconds: z.number(),
    open: z.boolean().meta({ description: 'Nothing has come since' }),
    cause: Cause.meta({ description: 'What most of it is due to' }),
    parts: z.array(z.object({ cause: Cause, from: Instant, to: Instant }))
  })
  .meta({ id: 'LedgerGap', description: 'No reading for longer than 3 intervals of the series' })

export const GapList = list(GapView)
export const LedgerList = list(LedgerView)
