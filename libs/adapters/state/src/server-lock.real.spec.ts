import { afterAll, afterEach, describe, expect, it } from '@jest/globals'
import { codeOf } from '#libs/model'
import { described, startPostgres } from '#libs/test-servers'
import { Bench, codeOfRejection, raised } from '../test/fixtures.js'
import { ServerHome } from '../test/homes.js'
import { Network } from '../test/network.js'
import { kill, killAll, startChild } from '../test/processes.js'
import { type StateLock, stateLock } from './server-lock.js'

const found = await startPostgres()
if (!('absent' in found)) afterAll(() => found.dispose())

described(describe, { kind: 'postgres', name: 'the lock of a state on PostgreSQL', found }, server => {
  const home = new ServerHome(server)
  const bench = new Bench(home)
  const locks: StateLock[] = []
  const networks: Network[] = []

  afterEach(async () => {
    await killAll()
    for (const network of networks.splice(0)) network.close()
    for (const lock of locks.splice(0)) await lock.close()
    await bench.clear()
  })

  /** A server's lock and what it was told; it waits a moment for another one, no longer. */
  async function lock(url: string, waitMs = 50): Promise<{ lock: StateLock; lost: string[] }> {
    const lost: string[] = []
    const taken = await stateLock(url, error => lost.push(error.code), waitMs)
    locks.push(taken)
    return { lock: taken, lost }
  }

  const sessions =
    "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and application_name = 'quantrac'"
  const terminate = (url: string, which: string) =>
    home.query({ dataDir: '', url }, `select pg_terminate_backend(pid) from (${sessions} ${which}) as them`)
  async function until(what: () => Promise<boolean>): Promise<void> {
    for (const deadline = Date.now() + 20_000; !(await what()); ) {
      if (Date.now() > deadline) throw new Error('did not happen')
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
  const holders = "select pid from pg_locks where locktype = 'advisory' and objid = 2 and granted"

  it('is refused to a second server, which is told who has it, until the first lets go', async () => {
    const url = await server.database()
    const first = await lock(url)
    const second = lock(url)
    await expect(second).rejects.toThrow(`process ${process.pid} on `)
    expect(await codeOfRejection(second)).toBe('QT_STATE_IN_USE')
    await expect(second).rejects.not.toThrow(new URL(url).password)
    await first.lock.close()
    await first.lock.close()
    await lock(url)
    expect(first.lost).toEqual([])
  })

  it('lets another database alone, and programs beside the server be', async () => {
    const place = await bench.place()
    await lock(place.url!)
    await lock(await server.database())
    const beside = await bench.open(place)
    await beside.tokens.add('ops', 'operator')
    expect(await beside.tokens.list()).toHaveLength(1)
  })

  it('is held by another process and released by its kill -9', async () => {
    const place = await bench.place()
    const { child, said } = startChild('lock', place)
    await said(1)
    expect(await codeOfRejection(lock(place.url!))).toBe('QT_STATE_IN_USE')
    await kill(child)
    await lock(place.url!, 5_000)
  })

  it('is taken by one of many that start at once', async () => {
    const url = await server.database()
    const all = await Promise.all(
      Array.from({ length: 5 }, () =>
        lock(url, 500).then(
          () => 'taken',
          (error: unknown) => codeOf(error)
        )
      )
    )
    expect(all.sort()).toEqual(['QT_STATE_IN_USE', 'QT_STATE_IN_USE', 'QT_STATE_IN_USE', 'QT_STATE_IN_USE', 'taken'])
  })

  it('stands while its own connection is cut: those that speak for the server hold it too', async () => {
    const place = await bench.place()
    const first = await lock(place.url!)
    const [own] = await home.query(place, holders)
    const state = await bench.open({ ...place, owner: first.lock.owner })
    await terminate(place.url!, `and pid = ${String(own?.['pid'])}`)
    expect(await codeOfRejection(lock(place.url!))).toBe('QT_STATE_IN_USE')
    await state.tokens.add('still', 'reader')
    await until(async () => (await home.query(place, holders)).length >= 2)
    expect(first.lost).toEqual([])
  })

  it('is had again after everything was cut, when nobody else was quicker', async () => {
    const place = await bench.place()
    const first = await lock(place.url!)
    const state = await bench.open({ ...place, owner: first.lock.owner })
    await terminate(place.url!, '')
    await until(async () => (await home.query(place, holders)).length > 0)
    expect(await codeOfRejection(lock(place.url!))).toBe('QT_STATE_IN_USE')
    await until(() =>
      state.tokens.add('again', 'reader').then(
        () => true,
        () => false
      )
    )
    expect(first.lost).toEqual([])
  })

  it('goes to the second server while the first is cut off; the first then writes nothing more and is told', async () => {
    const place = await bench.place()
    const by = await Network.before(place.url!)
    networks.push(by.network)
    const first = await lock(by.url)
    const before = await bench.open({ ...place, url: by.url, owner: first.lock.owner })
    await before.alarmLog.record([raised('before')], 1)
    by.network.cut()
    const second = await lock(place.url!, 5_000)
    const after = await bench.open({ ...place, owner: second.lock.owner })
    await after.alarmLog.record([raised('after')], 2)
    by.network.mend()
    await until(async () => first.lost.length > 0)
    expect(first.lost).toEqual(['QT_STATE_IN_USE'])
    expect(await codeOfRejection(before.alarmLog.record([raised('late')], 3))).toBe('QT_STATE_IN_USE')
    expect(await codeOfRejection(before.tokens.list())).toBe('QT_STATE_IN_USE')
    expect((await after.alarms.list({ limit: 10 })).items.map(({ id }) => id)).toEqual(['before', 'after'])
    expect(second.lost).toEqual([])
  })

  it('outlives PostgreSQL being killed and started again', async () => {
    if (!server.process) return
    const place = await bench.place()
    const first = await lock(place.url!)
    await server.process.stop('SIGKILL')
    await server.process.start()
    await until(async () => (await home.query(place, holders)).length > 0)
    expect(await codeOfRejection(lock(place.url!))).toBe('QT_STATE_IN_USE')
    expect(first.lost).toEqual([])
  })

  it('lets go also while PostgreSQL does not answer', async () => {
    if (!server.process) return
    const first = await lock(await server.database())
    server.process.freeze()
    try {
      await first.lock.close()
    } finally {
      server.process.thaw()
    }
  })
})
