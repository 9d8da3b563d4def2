import { readFileSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { HOUR } from '#libs/model'
import { type Aggregate, type ItemAnswer, warehouseChecksum, warehouseText } from '#libs/pipeline'
import { described, startPostgres } from '#libs/test-servers'
import { newestOf, plainAggregate, sendAll, textsOf, warehouseSinkSuite } from '#libs/testkit'
import { ask, heldRows, Staff } from '../test/held-rows.js'
import { schemaScript } from './migrate.js'
import { PostgresWarehouse } from './postgres-warehouse.js'
import { MIGRATIONS } from './schema.js'

const never = new AbortController().signal
const hours = (count: number, revision = 0): Aggregate[] =>
  Array.from({ length: count }, (_, n) => plainAggregate({ end: (n + 1_000) * HOUR, revision, mean: n / 7 + revision }))

const found = await startPostgres()
afterAll(() => ('absent' in found ? undefined : found.dispose()))

described(describe, { kind: 'postgres', name: 'PostgresWarehouse on a real PostgreSQL', found }, server => {
  warehouseSinkSuite('PostgresWarehouse', async () => {
    const url = await server.database()
    const sink = new PostgresWarehouse({ url, plain: 'anywhere' })
    const staff = await Staff.connect(url)
    const dispose = async () => {
      await sink.close()
      await staff.close()
    }
    return { sink, rows: of => staff.held(of ? `station = '${of}'` : 'true'), dispose }
  })

  let url: string
  let sinks: PostgresWarehouse[]
  let line: BadLine | undefined
  const open = (settings = {}): PostgresWarehouse => {
    const sink = new PostgresWarehouse({ url, plain: 'anywhere', ...settings })
    sinks.push(sink)
    return sink
  }
  const answersOf = async (sink: PostgresWarehouse, items: readonly Aggregate[]): Promise<readonly ItemAnswer[]> => {
    const answer = await sink.send(items, never)
    if (answer.outcome !== 'answered') throw new Error(answer.reason)
    return answer.items
  }
  beforeEach(async () => {
    url = await server.database()
    sinks = []
  })
  afterEach(async () => {
    for (const sink of sinks) await sink.close()
    await line?.close()
    line = undefined
  })

  describe('the schema', () => {
    it('is made by whoever comes first, once', async () => {
      const all = Array.from({ length: 4 }, () => open())
      const answers = await Promise.all(all.map((sink, n) => answersOf(sink, [plainAggregate({ station: `S-${n}` })])))
      expect(answers.flat()).toEqual(all.map(() => ({ outcome: 'accepted' })))
      expect(await ask(url, 'select version from quantrac_warehouse.version')).toEqual([{ version: MIGRATIONS.length }])
    })

    it('can be made by an administrator, for a user who may write rows and no more', async () => {
      await ask(url, schemaScript())
      const { user, other } = await lowlyUser(url)
      const sink = open({ url: other })
      expect(await answersOf(sink, hours(2))).toEqual([{ outcome: 'accepted' }, { outcome: 'accepted' }])
      expect(await sink.digest({ period: 'hour', from: 0, to: 2_000 * HOUR }, never)).toHaveLength(1)
      await sink.close()
      await ask(url, `drop owned by ${user}; drop role ${user}`)
    })

    it('of a newer version is left alone', async () => {
      await answersOf(open(), hours(1))
      await ask(url, 'insert into quantrac_warehouse.version (version) values (99)')
      const sink = open()
      expect(await sink.send(hours(1), never)).toEqual({ outcome: 'retry', reason: expect.stringContaining('version 99') })
      await expect(sink.digest({ period: 'hour', from: 0, to: 1 }, never)).rejects.toMatchObject({
        code: 'QT_WAREHOUSE_DIGEST',
        cause: { code: 'QT_WAREHOUSE_NEWER' }
      })
    })

    it('says of each table, view, function and column what it is, in both languages', async () => {
      await answersOf(open(), hours(1))
      const silent = await ask(
        url,
        `select c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
         where c.relnamespace = 'quantrac_warehouse'::regnamespace and c.relkind in ('r', 'v')
           and (col_description(c.oid, a.attnum) not like '% / %' is not false or obj_description(c.oid) not like '% / %' is not false)
         union all select proname, '' from pg_proc
         where pronamespace = 'quantrac_warehouse'::regnamespace and obj_description(oid, 'pg_proc') not like '% / %' is not false`
      )
      expect(silent).toEqual([])
    })

    it('has a view with Vietnamese names and local time', async () => {
      await answersOf(open(), [plainAggregate()])
      const [row] = await ask(
        url,
        'select tram, thong_so, ky, ket_thuc::text, trung_binh, nho_nhat, luc_lon_nhat::text, du_du_lieu from quantrac_warehouse.tong_hop'
      )
      const time = '2026-11-24 10:00:00'
      expect(row).toEqual({
        ...{ tram: 'AG-017', thong_so: 'COD', ky: 'hour', ket_thuc: time, trung_binh: 82.5, nho_nhat: 80 },
        ...{ luc_lon_nhat: time, du_du_lieu: true }
      })
    })

    it('computes text and checksum of a row as we do, whatever the session’s time zone and way to write numbers', async () => {
      const item = plainAggregate({ mean: 1e-7, max: { value: 1e21, at: 86_400_001 }, min: null, validShare: 1 / 3, sum: -0.1 })
      await answersOf(open(), [item])
      const [row] = await ask(
        url,
        `set timezone to 'America/New_York'; set extra_float_digits to -15; set datestyle to 'SQL, DMY';
         select quantrac_warehouse.row_text(a) as text, to_hex(quantrac_warehouse.row_checksum(a)) as checksum from quantrac_warehouse.aggregate a`
      )
      expect(row).toEqual({ text: warehouseText(item), checksum: warehouseChecksum(item).replace(/^0+/, '') })
    })
  })

  it('the page’s statement makes digests out of checksums that were kept as they came', async () => {
    const [, statement = ''] = /```sql\n([\s\S]*?)```/.exec(readFileSync('apps/telemetry/docs/warehouse.md', 'utf8')) ?? []
    const items = hours(300)
    const sink = open()
    await answersOf(sink, items)
    const values = items.map(item => `('${item.station}', 'hour', to_timestamp(${item.end / 1_000}), '${warehouseChecksum(item)}')`)
    const found = await ask(
      url,
      `create table aggregate (station text, period text, end_at timestamptz, checksum text);
       insert into aggregate values ${values.join()}; ${statement}`
    )
    const told = await sink.digest({ period: 'hour', from: 0, to: 2_000 * HOUR }, never)
    expect(found.map(({ count, ...row }) => ({ ...row, count: Number(count), period: 'hour' }))).toEqual(told)
  })

  describe('rows', () => {
    it('that the database refuses are found among many, with its reason', async () => {
      await answersOf(open(), [])
      const sink = open()
      await answersOf(sink, hours(1))
      await ask(url, "alter table quantrac_warehouse.aggregate add constraint staff_know_the_station check (station like 'AG-%')")
      const items = hours(200, 1).map((item, n) => ([3, 77, 199].includes(n) ? { ...item, station: 'KG-001' } : item))
      const answers = await answersOf(sink, items)
      expect(answers.flatMap(({ outcome }, n) => (outcome === 'rejected' ? [n] : []))).toEqual([3, 77, 199])
      expect(answers[77]).toMatchObject({ reason: expect.stringContaining('staff_know_the_station') })
      expect(answers.filter(({ outcome }) => outcome === 'accepted')).toHaveLength(197)
      expect(await heldRows(url)).toHaveLength(197)
    })

    it('that a trigger of the staff refuses are rejected with its words', async () => {
      const sink = open()
      await answersOf(sink, hours(1))
      await ask(
        url,
        `create function public.no() returns trigger language plpgsql as $$ begin raise exception 'trạm đã đóng'; end $$;
         create trigger no before update on quantrac_warehouse.aggregate for each row execute function public.no()`
      )
      expect(await answersOf(sink, hours(2, 1))).toEqual([{ outcome: 'rejected', reason: 'trạm đã đóng' }, { outcome: 'accepted' }])
    })

    it('of senders at once that send the same in other orders end with the highest revision', async () => {
      const all = [0, 1, 2, 3].flatMap(revision => hours(60, revision))
      const ways = [all, [...all].reverse(), [...all].sort((a, b) => a.end - b.end)]
      await Promise.all(ways.map(items => sendAll(open({ maxItems: 50 }), items)))
      expect(textsOf(await heldRows(url))).toEqual(textsOf(newestOf(all)))
    })

    it('keep when they were written, anew with each revision', async () => {
      const sink = open()
      const written = async () => Number((await ask(url, 'select written_at from quantrac_warehouse.aggregate'))[0]?.['written_at'])
      await answersOf(sink, hours(1, 1))
      const first = await written()
      await answersOf(sink, hours(1, 0))
      expect(await written()).toBe(first)
      await answersOf(sink, hours(1, 2))
      expect(await written()).toBeGreaterThanOrEqual(first)
    })
  })

  describe('trouble', () => {
    it('with rights is a retry that says so', async () => {
      await answersOf(open(), hours(1))
      const { user, other } = await lowlyUser(url, 'select')
      expect(await open({ url: other }).send(hours(1), never)).toEqual({
        outcome: 'retry',
        reason: expect.stringContaining('permission denied')
      })
      await sinks.at(-1)?.close()
      await ask(url, `drop owned by ${user}; drop role ${user}`)
    })

    it('with the password is a retry that does not tell it', async () => {
      const wrong = new URL(url)
      wrong.password = 'quite-wrong'
      const answer = await open({ url: wrong.href }).send(hours(1), never)
      expect(answer).toEqual({ outcome: 'retry', reason: expect.stringContaining('password authentication failed') })
      expect(JSON.stringify(answer)).not.toContain('quite-wrong')
    })

    it('by a lock is a retry once it lasts too long, and so is a signal', async () => {
      const sink = open({ timeoutMs: 400 })
      await answersOf(sink, hours(1))
      const held = ask(url, 'begin; lock quantrac_warehouse.aggregate in exclusive mode; select pg_sleep(0.7); rollback')
      await locked(url)
      expect(await sink.send(hours(1, 1), never)).toEqual({ outcome: 'retry', reason: expect.stringMatching(/timeout|no answer/) })
      const stop = new AbortController()
      const sending = open().send(hours(1, 1), stop.signal)
      setTimeout(() => stop.abort(), 20)
      expect(await sending).toEqual({ outcome: 'retry', reason: 'broken off' })
      await held
      expect(await answersOf(sink, hours(1, 1))).toEqual([expect.objectContaining({ outcome: expect.stringMatching(/accepted|known/) })])
    })

    it('with the line, cut anywhere, ends with the highest revision of each', async () => {
      line = await BadLine.open(url)
      const sink = open({ url: line.url })
      const all = [0, 1].flatMap(revision => hours(40, revision))
      for (let from = 0; from < all.length; from += 8) {
        line.cutAfter(200 + ((from * 7_919) % 9_000))
        await sendAll(sink, all.slice(from, from + 8))
      }
      expect(textsOf(await heldRows(url))).toEqual(textsOf(newestOf(all)))
      expect(line.cuts).toBeGreaterThan(3)
    })

    it('with the server: what was accepted survives its kill, and the rest follows', async () => {
      if (!server.process) return
      const sink = open({ maxItems: 100 })
      const items = hours(1_000)
      const sending = sink.send(items, never)
      await rowsAppear(url)
      await server.process.stop('SIGKILL')
      const answer = await sending
      const said = answer.outcome === 'answered' ? answer.items : []
      expect(said.filter(({ outcome }) => outcome === 'accepted').length).toBeGreaterThan(0)
      expect(await sink.send(items, never)).toMatchObject({ outcome: 'retry' })
      await server.process.start()
      const held = new Set(textsOf(await heldRows(url)))
      for (const [n, { outcome }] of said.entries()) if (outcome === 'accepted') expect(held).toContain(warehouseText(items[n]!))
      await sendAll(sink, items, 10_000)
      expect(await heldRows(url)).toHaveLength(1_000)
    })

    it('with a server that is frozen is a retry in time, and closing does not wait for it', async () => {
      if (!server.process) return
      const sink = open({ timeoutMs: 300 })
      await answersOf(sink, hours(1))
      server.process.freeze()
      try {
        expect(await sink.send(hours(2), never)).toEqual({ outcome: 'retry', reason: 'no answer within 0.3 s' })
        const stop = new AbortController()
        const connecting = sink.send(hours(2), stop.signal)
        setTimeout(() => stop.abort(), 20)
        expect(await connecting).toEqual({ outcome: 'retry', reason: 'broken off' })
        await sink.close()
      } finally {
        server.process.thaw()
      }
    })
  })
})

/** A user who may use the schema and do these things with the rows. */
async function lowlyUser(url: string, rights = 'select, insert, update'): Promise<{ user: string; other: string }> {
  const user = `forwarder_${Math.trunc(performance.now() * 1_000)}`
  await ask(
    url,
    `create role ${user} login password 'pw'; grant usage on schema quantrac_warehouse to ${user};
     grant ${rights} on all tables in schema quantrac_warehouse to ${user}`
  )
  const other = new URL(url)
  other.username = user
  other.password = 'pw'
  return { user, other: other.href }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise(resolve => setTimeout(resolve, 5))
}

const locked = (url: string) =>
  until(
    async () =>
      (await ask(url, "select 1 from pg_locks where mode = 'ExclusiveLock' and relation = 'quantrac_warehouse.aggregate'::regclass"))
        .length > 0
  )

const rowsAppear = (url: string) => until(async () => (await heldRows(url)).length > 0)

/** A way to the server that breaks after so many bytes from either side. */
class BadLine {
  cuts = 0
  readonly #server: Server
  readonly #url: URL
  readonly #sockets = new Set<Socket>()
  #left = Number.POSITIVE_INFINITY

  private constructor(url: string) {
    this.#url = new URL(url)
    const { hostname, port } = this.#url
    this.#server = createServer(near => {
      const far = connect(Number(port), hostname)
      for (const [from, to] of [
        [near, far],
        [far, near]
      ] as const) {
        this.#sockets.add(from)
        from.on('error', () => {}).on('close', () => to.destroy())
        from.on('data', chunk => this.#pass(chunk, { near, far, to }))
      }
    })
  }

  static async open(url: string): Promise<BadLine> {
    const line = new BadLine(url)
    await new Promise<void>(resolve => line.#server.listen(0, '127.0.0.1', resolve))
    line.#url.port = String((line.#server.address() as { port: number }).port)
    return line
  }

  get url(): string {
    return this.#url.href
  }

  cutAfter(bytes: number): void {
    this.#left = bytes
  }

  #pass(chunk: Buffer, { near, far, to }: { near: Socket; far: Socket; to: Socket }): void {
    this.#left -= chunk.length
    if (this.#left >= 0) return void to.write(chunk)
    this.#left = Number.POSITIVE_INFINITY
    this.cuts += 1
    near.destroy()
    far.destroy()
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise(resolve => this.#server.close(resolve))
  }
}
