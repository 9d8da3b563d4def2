import { sql } from 'kysely'
import type { Millis } from '#libs/model'
import type { ForwardSelection } from '#libs/pipeline'
import { RANK } from './aggregates.js'
import type { Trx } from './schema.js'

export interface MarkAgain {
  readonly now: Millis
  /** Whether what the warehouse rejected is tried again too. */
  readonly setAsideToo: boolean
}

/** Has aggregates sent again as they stand; gives how many. */
export async function markAgain(trx: Trx, { station, parameter, period, from, to }: ForwardSelection, how: MarkAgain): Promise<number> {
  const { now, setAsideToo } = how
  let rows = trx
    .selectFrom('aggregates')
    .select(['station', 'parameter', 'rank', 'end_at', sql<'waiting'>`'waiting'`.as('state'), 'revision'])
    .select([
      sql<number>`0`.as('attempts'),
      sql<number>`cast(${now} as bigint)`.as('not_before'),
      sql<number>`cast(${now} as bigint)`.as('since')
    ])
    .where('end_at', '>', from)
    .where('end_at', '<=', to)
  if (station !== undefined) rows = rows.where('station', '=', station)
  if (parameter !== undefined) rows = rows.where('parameter', '=', parameter)
  if (period !== undefined) rows = rows.where('rank', '=', RANK[period])
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('forward_items')
    .columns(['station', 'parameter', 'rank', 'end_at', 'state', 'revision', 'attempts', 'not_before', 'since'])
    .expression(rows)
    .onConflict(on => {
      const again = on
        .columns(['station', 'parameter', 'rank', 'end_at'])
        .doUpdateSet({ state: 'waiting', attempts: 0, not_before: now, reason: null })
      return setAsideToo ? again : again.where('forward_items.state', '=', 'waiting')
    })
    .executeTakeFirstOrThrow()
  return Number(numInsertedOrUpdatedRows ?? 0n)
}
