import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import Database from 'better-sqlite3'
import { Kysely, sql } from 'kysely'
import { Bench, codeOfRejection } from '../test/fixtures.js'
import { FileHome } from '../test/homes.js'
import { FileDialect, type Synchronous } from './file-dialect.js'

interface Notes {
  notes: { id: number; text: string }
}

const bench = new Bench(new FileHome())
const open: Kysely<Notes>[] = []
afterEach(async () => {
  for (const db of open.splice(0)) await db.destroy()
  await bench.clear()
})

async function connect(dir: string, synchronous: Synchronous = 'kill-safe'): Promise<Kysely<Notes>> {
  const db = new Kysely<Notes>({ dialect: new FileDialect(join(dir, 'notes.sqlite'), synchronous) })
  open.push(db)
  await db.schema.createTable('notes').ifNotExists().addColumn('id', 'integer').addColumn('text', 'text').execute()
  return db
}

async function pragma(db: Kysely<Notes>, name: string): Promise<unknown> {
  const { rows } = await sql<Record<string, unknown>>`pragma ${sql.raw(name)}`.execute(db)
  return Object.values(rows[0] ?? {})[0]
}

describe('the SQLite dialect', () => {
  it('syncs each commit where it must survive a power cut, and only there', async () => {
    const dir = await bench.home.dir()
    const full = 2
    const normal = 1
    expect(await pragma(await connect(dir, 'power-safe'), 'synchronous')).toBe(full)
    expect(await pragma(await connect(dir, 'kill-safe'), 'synchronous')).toBe(normal)
    expect(await pragma(open[0]!, 'journal_mode')).toBe('wal')
    expect(await pragma(open[0]!, 'busy_timeout')).toBe(5_000)
  })

  it('lets two connections of one thread take turns, transaction by transaction', async () => {
    const dir = await bench.home.dir()
    const [one, two] = [await connect(dir), await connect(dir)]
    const append = (db: Kysely<Notes>, text: string) =>
      db.transaction().execute(async trx => {
        const { last } = await trx
          .selectFrom('notes')
          .select(eb => eb.fn.max('id').as('last'))
          .$castTo<{ last: number | null }>()
          .executeTakeFirstOrThrow()
        await new Promise(resolve => setImmediate(resolve)) // the other connection gets its chance to interfere
        await trx
          .insertInto('notes')
          .values({ id: (last ?? 0) + 1, text })
          .execute()
      })
    await Promise.all(Array.from({ length: 20 }, (_, index) => append(index % 2 === 0 ? one : two, String(index))))
    const rows = await one.selectFrom('notes').select('id').orderBy('id').execute()
    expect(rows.map(({ id }) => id)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
  })

  it('gives a write outside a transaction one of its own', async () => {
    const dir = await bench.home.dir()
    const [one, two] = [await connect(dir), await connect(dir)]
    let release = (): void => {}
    const held = one.transaction().execute(async trx => {
      await trx.insertInto('notes').values({ id: 1, text: 'first' }).execute()
      await new Promise<void>(resolve => {
        release = resolve
      })
    })
    const inserted = two.insertInto('notes').values({ id: 2, text: 'second' }).execute()
    await new Promise(resolve => setTimeout(resolve, 20))
    release()
    await Promise.all([held, inserted])
    expect(await two.selectFrom('notes').selectAll().execute()).toHaveLength(2)
  })

  it('gives SQLite’s errors a code of ours, and leaves no transaction open', async () => {
    const dir = await bench.home.dir()
    const db = await connect(dir)
    await db.schema.createIndex('one_each').on('notes').column('id').unique().execute()
    await db.insertInto('notes').values({ id: 1, text: 'a' }).execute()
    expect(await codeOfRejection(db.insertInto('notes').values({ id: 1, text: 'b' }).execute())).toBe('QT_STATE_FAILED')
    expect(await codeOfRejection(sql`select * from nowhere`.execute(db))).toBe('QT_STATE_FAILED')
    await db.insertInto('notes').values({ id: 2, text: 'c' }).execute()
    const other = new Database(join(dir, 'notes.sqlite'), { timeout: 0 })
    other.exec('begin immediate; rollback')
    other.close()
  })

  it('says that the disk is full, and works again when there is room', async () => {
    const db = await connect(await bench.home.dir())
    const pages = Number(await pragma(db, 'page_count'))
    await pragma(db, `max_page_count = ${pages + 2}`)
    const big = { id: 1, text: 'x'.repeat(100_000) }
    const writing = db.transaction().execute(trx => trx.insertInto('notes').values(big).execute())
    expect(await codeOfRejection(writing)).toBe('QT_STATE_FULL')
    expect(await codeOfRejection(db.insertInto('notes').values(big).execute())).toBe('QT_STATE_FULL')
    await pragma(db, 'max_page_count = 1000000')
    await db.insertInto('notes').values(big).execute()
    expect(await db.selectFrom('notes').select('id').execute()).toEqual([{ id: 1 }])
  })
})
