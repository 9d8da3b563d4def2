import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import Database from 'better-sqlite3'
import { alarm, Bench, cleared, codeOfRejection, raised } from '../test/fixtures.js'

const bench = new Bench()
afterEach(() => bench.clear())

describe('opening the state', () => {
  it('makes the file from nothing, readable by its owner alone, and finds everything again', async () => {
    const dir = join(await bench.dir(), 'not', 'there', 'yet')
    const state = await bench.open(dir)
    const token = await state.tokens.add('dashboard', 'reader')
    await state.alarmLog.record([raised('a')], 7)
    await state.alarmLog.saveSnapshot(7, Uint8Array.of(1, 2, 3))
    await state.close()

    const again = await bench.open(dir)
    expect(await again.tokens.find(token)).toEqual({ name: 'dashboard', role: 'reader' })
    expect(await again.alarmLog.cursor()).toBe(7)
    expect(await again.alarmLog.snapshot()).toEqual({ sequence: 7, bytes: Buffer.from([1, 2, 3]) })
    expect(await again.alarms.get('a')).toEqual(alarm('a'))
    expect((await stat(join(dir, 'state.sqlite'))).mode & 0o077).toBe(0)
    expect((await stat(join(dir, 'state.sqlite-wal'))).mode & 0o077).toBe(0)
  })

  it('migrates once when several open an empty directory at the same time', async () => {
    const dir = await bench.dir()
    const states = await Promise.all(Array.from({ length: 6 }, () => bench.open(dir)))
    await Promise.all(states.map((state, index) => state.tokens.add(`t${index}`, 'reader')))
    expect(await states[0]!.tokens.list()).toHaveLength(6)
    const db = new Database(join(dir, 'state.sqlite'), { readonly: true })
    expect(db.prepare('select name from kysely_migration').all()).toEqual([{ name: '0001-first' }, { name: '0002-ledger' }])
    db.close()
  })

  it('refuses a file that a newer version has written, and one that is no database', async () => {
    const dir = await bench.dir()
    await (await bench.open(dir)).close()
    const db = new Database(join(dir, 'state.sqlite'))
    db.prepare("insert into kysely_migration values ('0099-future', '2030-01-01T00:00:00.000Z')").run()
    db.close()
    expect(await codeOfRejection(bench.open(dir))).toBe('QT_STATE_NEWER')

    const other = await bench.dir()
    await writeFile(join(other, 'state.sqlite'), 'this is not a database, but it is long enough to be looked at as one'.repeat(20))
    expect(await codeOfRejection(bench.open(other))).toBe('QT_STATE_CORRUPT')
  })

  it('migrates whole or not at all', async () => {
    const dir = await bench.dir()
    const db = new Database(join(dir, 'state.sqlite'))
    db.exec('create table refusals (of_somebody_else text)') // the last table that the first migration makes
    expect(await codeOfRejection(bench.open(dir))).toBe('QT_STATE_FAILED')
    expect(db.prepare("select name from sqlite_master where name in ('credentials', 'outbox')").all()).toEqual([])
    db.exec('drop table refusals')
    db.close()
    await bench.open(dir)
  })

  it('refuses a directory that cannot be made, and says what to do', async () => {
    const dir = await bench.dir()
    await writeFile(join(dir, 'file'), '')
    const opening = bench.open(join(dir, 'file', 'data'))
    await expect(opening).rejects.toThrow(/cannot write the data directory .*QUANTRAC_DATA_DIR/)
    expect(await codeOfRejection(opening)).toBe('QT_DATA_DIR_UNWRITABLE')
  })

  it('closes twice, and refuses work afterwards', async () => {
    const state = await bench.open(await bench.dir())
    await state.close()
    await state.close()
    await expect(state.tokens.list()).rejects.toThrow()
  })
})

describe('several users of one file', () => {
  it('takes writes of two states and both connections at once, and loses none', async () => {
    const dir = await bench.dir()
    const [one, two] = [await bench.open(dir), await bench.open(dir)]
    await one.alarmLog.record(
      Array.from({ length: 20 }, (_, index) => raised(`seen-${index}`)),
      1
    )
    const work = Array.from({ length: 20 }, (_, index) => [
      one.alarmLog.record([raised(`new-${index}`), cleared(`new-${index}`, index)], 2 + index),
      two.alarms.acknowledge(`seen-${index}`, 'lan', null),
      one.credentials.set('AG-BINHHOA', `label ${index}`, String(index).padStart(64, '0')),
      two.refusals.record([], index)
    ])
    await Promise.all(work.flat())
    const { items } = await two.alarms.list({ limit: 1000 })
    expect(items.filter(({ state }) => state === 'acknowledged-active')).toHaveLength(20)
    expect(items.filter(({ state }) => state === 'rtn-unacknowledged')).toHaveLength(20)
    expect(await one.credentials.list('AG-BINHHOA')).toHaveLength(20)
    expect(await two.alarmLog.cursor()).toBe(21)
    expect(await one.refusals.cursor()).toBe(19)
  })

  it('waits for another program’s write without blocking the event loop, and reads meanwhile', async () => {
    const dir = await bench.dir()
    const state = await bench.open(dir)
    const other = new Database(join(dir, 'state.sqlite'))
    other.exec('begin immediate')
    let settled = false
    const adding = state.tokens.add('late', 'reader').finally(() => {
      settled = true
    })
    // The loop turns while the write waits: timers fire and the other connection reads. With a blocking wait neither would.
    for (let turn = 0; turn < 20; turn += 1) {
      await new Promise(resolve => setTimeout(resolve, 1))
      await state.alarmLog.cursor()
    }
    expect(settled).toBe(false)
    other.exec('commit')
    other.close()
    await adding
    expect(await state.tokens.list()).toHaveLength(1)
  })

  it('rolls a failed transaction back whole and goes on', async () => {
    const state = await bench.open(await bench.dir())
    const broken = { ...raised('b'), at: { not: 'a number' } as never }
    await expect(state.alarmLog.record([raised('a'), broken], 5)).rejects.toThrow()
    expect(await state.alarmLog.cursor()).toBe(0)
    expect(await state.alarms.get('a')).toBeNull()
    expect(await state.outbox.nextDue()).toBeNull()
    await state.alarmLog.record([raised('a')], 5)
    expect(await state.alarmLog.cursor()).toBe(5)
  })
})
