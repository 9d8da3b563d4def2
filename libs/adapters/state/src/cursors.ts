import type { Db, Trx } from './schema.js'

/** Where a consumer of the journal stands; 0 before its first record. */
export async function readCursor(db: Db, name: string): Promise<number> {
  const row = await db.selectFrom('cursors').select('sequence').where('name', '=', name).executeTakeFirst()
  return row?.sequence ?? 0
}

/** Moves a cursor forward, never back. */
export async function moveCursor(trx: Trx, name: string, sequence: number): Promise<void> {
  await trx
    .insertInto('cursors')
    .values({ name, sequence })
    .onConflict(on => on.column('name').doUpdateSet({ sequence }).where('cursors.sequence', '<', sequence))
    .execute()
}
