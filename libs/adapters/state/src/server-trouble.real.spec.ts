import { afterAll, afterEach, describe, expect, it } from '@jest/globals'
import { Kysely, sql } from 'kysely'
import { described, startPostgres } from '#libs/test-servers'
import { Bench, cleared, codeOfRejection, NOON, raised } from '../test/fixtures.js'
import { ServerHome } from '../test/homes.js'
import { isRetryable } from './errors.js'
import type { Db, Tables } from './schema.js'
import { ServerDialect } from './server-dialect.js'
import { stateLock } from './server-lock.js'
import { inTransaction } from './transaction.js'

const found = await startPostgres({ fsync: true })
if (!('absent' in found)) afterAll(() => found.dispose())

described(describe, { kind: 'postgres', name: 'trouble with PostgreSQL', found }, server => {
  const home = new ServerHome(server)
  const bench = new Bench(home)
  const pools: Db[] = []

  afterEach(async () => {
    for (const db of pools.splice(0)) await db.destroy()
    await bench.clear()
  })

  const run = (statement: string) => home.query({ dataDir: '', url: server.url }, statement)
  const nameOf = (url: string) => new URL(url).pathname.slice(1)
  const withUser = (url: string, user: string, password: string): string => {
    const changed = new URL(url)
    changed.username = user
    changed.password = password
    return changed.href
  }
  function pool(url: string, patience = { lockMs: 200, answerMs: 300 }): Db {
    const db = new Kysely<Tables>({ dialect: new ServerDialect(url, null, patience) })
    pools.push(db)
    return db
  }
  async function until(what: () => Promise<boolean>): Promise<void> {
    for (const deadline = Date.now() + 20_000; !(await what()); ) {
      if (Date.now() > deadline) throw new Error('did not happen')
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
  /** What opening is refused with; its text never holds the password. */
  async function refusal(url: string): Promise<unknown> {
    const opening = bench.open({ dataDir: '/dev/null/nowhere', url })
    const text = await opening.then(() => 'opened', String)
    for (const secret of [new URL(url).password, new URL(server.url).password].filter(Boolean)) expect(text).not.toContain(secret)
    expect(await codeOfRejection(stateLock(url, () => {}, 50).then(lock => lock.close()))).toBe(await codeOfRejection(opening))
    return codeOfRejection(opening)
  }

  describe('at the start', () => {
    it('says what is wrong with the server, the user, the database and the way there', async () => {
      const url = await server.database()
      expect(await refusal('postgres://quantrac:geheim@127.0.0.1:1/state')).toBe('QT_STATE_UNREACHABLE')
      expect(await refusal(withUser(url, 'quantrac', 'wrong'))).toBe('QT_STATE_UNAUTHORIZED')
      expect(await refusal(withUser(url, 'quantrac', ''))).toBe('QT_STATE_UNAUTHORIZED')
      expect(await refusal(withUser(url, 'nobody_here', 'x'))).toBe('QT_STATE_UNAUTHORIZED')
      expect(await refusal(url.replace(nameOf(url), 'no_such_database'))).toBe('QT_STATE_NO_DATABASE')
      expect(await refusal(`${url}?sslmode=verify-full`)).toBe('QT_STATE_UNREACHABLE')
    })

    it('refuses a database that does not keep Unicode, and one that takes no writes', async () => {
      await run("create database latin template template0 encoding 'LATIN1' locale 'C'")
      expect(await refusal(server.url.replace('/postgres', '/latin'))).toBe('QT_STATE_UNSUPPORTED')
      const url = await server.database()
      await run(`alter database ${nameOf(url)} set default_transaction_read_only = on`)
      expect(await refusal(url)).toBe('QT_STATE_READ_ONLY')
    })

    it('says so when the server has no connection left, or the user no right', async () => {
      await run("create role narrow login password 'thin-ice' connection limit 0")
      expect(await refusal(withUser(await server.database(), 'narrow', 'thin-ice'))).toBe('QT_STATE_UNREACHABLE')
      await run('alter role narrow connection limit -1')
      expect(await refusal(withUser(await server.database(), 'narrow', 'thin-ice'))).toBe('QT_STATE_UNAUTHORIZED')
    })

    it('needs no right but the one to its own schema', async () => {
      const url = await server.database()
      await home.query({ dataDir: '', url }, 'create schema quantrac authorization narrow')
      const own = withUser(url, 'narrow', 'thin-ice')
      const lock = await stateLock(own, () => {})
      const state = await bench.open({ dataDir: '', url: own, owner: lock.owner })
      await state.tokens.add('own', 'reader')
      expect(await home.query({ dataDir: '', url }, "select * from pg_tables where schemaname = 'public'")).toEqual([])
      await state.close()
      await lock.close()
    })
  })

  describe('later on', () => {
    it('reads go on where writes are refused, and writes when they are not any more', async () => {
      const place = await bench.place()
      await (await bench.open(place)).tokens.add('before', 'reader')
      const name = nameOf(place.url!)
      await run(`alter database ${name} set default_transaction_read_only = on`)
      const state = await bench.open(place)
      expect(await state.tokens.list()).toHaveLength(1)
      expect(await codeOfRejection(state.tokens.add('now', 'reader'))).toBe('QT_STATE_READ_ONLY')
      expect(await codeOfRejection(state.alarmLog.record([raised('a')], 1))).toBe('QT_STATE_READ_ONLY')
      await run(`alter database ${name} reset default_transaction_read_only`)
      await run(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`)
      await until(() =>
        state.tokens.add('now', 'reader').then(
          () => true,
          () => false
        )
      )
    })

    it('a killed server costs what was not answered and nothing else: each transition is there once, in order', async () => {
      if (!server.process) return
      const place = await bench.place()
      const state = await bench.open(place)
      const life = { stopped: false }
      let troubles = 0
      let sequence = 0
      const writing = (async () => {
        for (sequence = 1; !life.stopped; sequence += 1) {
          const batch = [raised(`a${sequence}`, { raisedAt: NOON + sequence }), cleared(`a${sequence}`, NOON + sequence)]
          while ((await codeOfRejection(state.alarmLog.record(batch, sequence))) !== 'no rejection') {
            troubles += 1
            await new Promise(resolve => setTimeout(resolve, 10))
          }
        }
      })()
      for (let kill = 1; kill <= 2; kill += 1) {
        const [from, before] = [sequence, troubles]
        await until(async () => sequence > from + 20)
        await server.process.stop('SIGKILL')
        await until(async () => troubles > before)
        expect(await codeOfRejection(state.tokens.list())).toBe('QT_STATE_UNREACHABLE')
        await server.process.start()
        const again = sequence
        await until(async () => sequence > again + 20)
      }
      life.stopped = true
      await writing
      expect(await state.alarmLog.cursor()).toBe(sequence - 1)
      const rows = await home.query(place, 'select id, position from transitions order by position')
      const expected = Array.from({ length: sequence - 1 }, (_, index) => [
        raised(`a${index + 1}`),
        cleared(`a${index + 1}`, NOON + index + 1)
      ])
      expect(rows.map(({ position }) => Number(position))).toEqual(rows.map((_, index) => index + 1))
      expect(rows.map(({ id }) => String(id).split('.').slice(0, 2).join('.'))).toEqual(
        expected.flat().map(({ id }) => id.split('.').slice(0, 2).join('.'))
      )
      expect((await state.outbox.stats()).pending).toBe(rows.length)
    })

    it('a session that is ended in mid-transaction undoes it, with a code, and the next statement has a new one', async () => {
      const place = await bench.place()
      const state = await bench.open(place)
      const db = pool(place.url!, { lockMs: 5_000, answerMs: 20_000 })
      const writing = inTransaction(db, async trx => {
        await trx.insertInto('tokens').values({ name: 'lost', role: 'reader', sha256: 'x', created_at: 1 }).execute()
        await home.query(
          place,
          'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()'
        )
        await until(
          async () => (await home.query(place, "select 1 from pg_stat_activity where state = 'idle in transaction'")).length === 0
        )
        await trx.selectFrom('tokens').select('name').execute()
      })
      expect(await codeOfRejection(writing)).toBe('QT_STATE_UNREACHABLE')
      expect(await db.selectFrom('tokens').select('name').execute()).toEqual([])
      await until(() =>
        state.tokens.add('next', 'reader').then(
          () => true,
          () => false
        )
      )
    })

    it('waits for its turn so long and no longer, and is then as before', async () => {
      const place = await bench.place()
      await bench.open(place)
      const [one, two] = [pool(place.url!), pool(place.url!)]
      const write = (db: Db, name: string) => inTransaction(db, trx => trx.insertInto('cursors').values({ name, sequence: 1 }).execute())
      await one.transaction().execute(async () => {
        expect(await codeOfRejection(write(two, 'waiting'))).toBe('QT_STATE_BUSY')
        expect(await two.selectFrom('cursors').selectAll().execute()).toEqual([])
      })
      for (let index = 0; index < 8; index += 1) await write(two, `c${index}`)
      expect(await one.selectFrom('cursors').select('name').execute()).toHaveLength(8)
    })

    it('gives a server that does not answer up, and closes on it', async () => {
      if (!server.process) return
      const place = await bench.place()
      await bench.open(place)
      const [one, two] = [pool(place.url!), pool(place.url!)]
      const list = (db: Db) => db.selectFrom('tokens').select('name').execute()
      for (const db of [one, two]) await list(db)
      server.process.freeze()
      try {
        expect(await codeOfRejection(list(one))).toBe('QT_STATE_UNREACHABLE')
        await two.destroy()
      } finally {
        server.process.thaw()
      }
      expect(await list(one)).toEqual([])
    })

    it('does again what another transaction has undone, a bounded number of times', async () => {
      const place = await bench.place()
      await bench.open(place)
      const db = pool(place.url!)
      const work = (failures: number, code: string) => {
        let attempts = 0
        const done = inTransaction(db, async trx => {
          attempts += 1
          await trx
            .insertInto('cursors')
            .values({ name: `${code} ${failures}`, sequence: attempts })
            .execute()
          if (attempts <= failures) await sql`do ${sql.lit(`begin raise exception 'undone' using errcode = '${code}'; end`)}`.execute(trx)
        })
        return { done, attempts: () => attempts }
      }
      for (const code of ['40001', '40P01']) {
        await work(3, code).done
        const hopeless = work(99, code)
        expect(await codeOfRejection(hopeless.done)).toBe('QT_STATE_BUSY')
        expect(hopeless.attempts()).toBe(4)
        expect(isRetryable(await hopeless.done.catch((error: unknown) => error))).toBe(true)
      }
      const broken = work(99, '23505')
      expect(await codeOfRejection(broken.done)).toBe('QT_STATE_FAILED')
      expect(broken.attempts()).toBe(1)
      expect(await db.selectFrom('cursors').selectAll().orderBy('name').execute()).toEqual([
        { name: '40001 3', sequence: 4 },
        { name: '40P01 3', sequence: 4 }
      ])
    })
  })

  describe('a session', () => {
    it('keeps its commits on the disk, whatever the database says, and weakens nothing that is stronger', async () => {
      const url = await server.database()
      const setting = async () =>
        (await sql<{ is: string }>`select current_setting('synchronous_commit') as is`.execute(pool(url))).rows[0]?.is
      for (const [given, used] of [
        ['off', 'on'],
        ['on', 'on'],
        ['local', 'local'],
        ['remote_apply', 'remote_apply']
      ]) {
        await run(`alter database ${nameOf(url)} set synchronous_commit = ${given}`)
        expect(await setting()).toBe(used)
      }
    })

    it('sees what others have committed while it waited, also where the database wants another isolation', async () => {
      const place = await bench.place()
      await bench.open(place)
      await run(`alter database ${nameOf(place.url!)} set default_transaction_isolation = 'repeatable read'`)
      const [one, two] = [pool(place.url!), pool(place.url!)]
      const append = (db: Db) =>
        inTransaction(db, async trx => {
          const rows = await trx.selectFrom('cursors').select('name').execute()
          await trx
            .insertInto('cursors')
            .values({ name: String(rows.length), sequence: 0 })
            .execute()
        })
      for (let round = 0; round < 10; round += 1) await Promise.all([append(one), append(two)])
      expect(await one.selectFrom('cursors').select('name').execute()).toHaveLength(20)
    })

    it('refuses a number that JavaScript cannot hold instead of rounding it', async () => {
      const place = await bench.place()
      await bench.open(place)
      const db = pool(place.url!)
      await home.query(place, "insert into cursors values ('large', 9007199254740993)")
      await expect(db.selectFrom('cursors').selectAll().execute()).rejects.toThrow(RangeError)
      expect(await db.selectFrom('cursors').select('name').execute()).toEqual([{ name: 'large' }])
    })
  })
})
