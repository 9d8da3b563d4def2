import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { Bench } from '../test/fixtures.js'
import { FileHome } from '../test/homes.js'
import { kill, killAll, startChild } from '../test/processes.js'
import { serverLock } from './data-dir.js'

const bench = new Bench(new FileHome())
afterEach(async () => {
  await killAll()
  await bench.clear()
})

const codeOf = (work: () => unknown): unknown => {
  try {
    work()
    return 'nothing thrown'
  } catch (error) {
    return (error as { code?: unknown }).code
  }
}

describe('the lock of a data directory', () => {
  it('is refused to a second server, also within one process, until the first lets go', async () => {
    const dir = join(await bench.home.dir(), 'new')
    const first = serverLock(dir)
    expect(codeOf(() => serverLock(dir))).toBe('QT_DATA_DIR_IN_USE')
    expect(() => serverLock(dir)).toThrow(`(process ${process.pid})`)
    first.close()
    first.close()
    serverLock(dir).close()
  })

  it('lets another directory alone, and the state be used beside it', async () => {
    const [dir, other] = [await bench.home.dir(), await bench.home.dir()]
    const locks = [serverLock(dir), serverLock(other)]
    const state = await bench.open({ dataDir: dir })
    await state.tokens.add('ops', 'operator')
    for (const lock of locks) lock.close()
  })

  it('is held by another process and released by its kill -9', async () => {
    const dir = await bench.home.dir()
    const { child, said } = startChild('lock', { dataDir: dir })
    await said(1)
    expect(codeOf(() => serverLock(dir))).toBe('QT_DATA_DIR_IN_USE')
    expect(() => serverLock(dir)).toThrow(`(process ${child.pid})`)
    await kill(child)
    serverLock(dir).close()
  })

  it('says what is wrong with a directory that cannot be used', async () => {
    const dir = await bench.home.dir()
    await writeFile(join(dir, 'file'), '')
    expect(codeOf(() => serverLock(join(dir, 'file')))).toBe('QT_DATA_DIR_UNWRITABLE')
    expect(codeOf(() => serverLock('/proc/quantrac'))).toBe('QT_DATA_DIR_UNWRITABLE')
    await writeFile(join(dir, 'server.lock'), 'no database')
    expect(() => serverLock(dir)).toThrow(/not a database/)
  })
})
