import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import Database from 'better-sqlite3'
import { Bench, codeOfRejection, raised } from '../test/fixtures.js'
import { FileHome } from '../test/homes.js'
import { stateSuite } from '../test/suites.js'

const bench = new Bench(new FileHome())
afterEach(() => bench.clear())

describe('the state in a file', () => {
  stateSuite(bench)

  it('is readable by its owner alone', async () => {
    const dataDir = join(await bench.home.dir(), 'not', 'there', 'yet')
    const state = await bench.open({ dataDir })
    await state.alarmLog.record([raised('a')], 7)
    expect((await stat(join(dataDir, 'state.sqlite'))).mode & 0o077).toBe(0)
    expect((await stat(join(dataDir, 'state.sqlite-wal'))).mode & 0o077).toBe(0)
  })

  it('is refused when it is no database', async () => {
    const place = await bench.place()
    await writeFile(join(place.dataDir, 'state.sqlite'), 'this is not a database, but it is long enough to be looked at as one'.repeat(20))
    expect(await codeOfRejection(bench.open(place))).toBe('QT_STATE_CORRUPT')
  })

  it('refuses a directory that cannot be made, and says what to do', async () => {
    const dir = await bench.home.dir()
    await writeFile(join(dir, 'file'), '')
    const opening = bench.open({ dataDir: join(dir, 'file', 'data') })
    await expect(opening).rejects.toThrow(/cannot write the data directory .*QUANTRAC_DATA_DIR/)
    expect(await codeOfRejection(opening)).toBe('QT_DATA_DIR_UNWRITABLE')
  })

  it('waits for another program’s write without blocking the event loop, and reads meanwhile', async () => {
    const place = await bench.place()
    const state = await bench.open(place)
    const other = new Database(join(place.dataDir, 'state.sqlite'))
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
})
