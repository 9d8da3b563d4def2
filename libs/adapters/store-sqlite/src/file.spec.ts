import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import Database from 'better-sqlite3'
import type { TempDir } from '#libs/testkit'
import { BEGIN, plainReading, tempDir } from '#libs/testkit'
import { StoreError, storeError } from './errors.js'
import { SqliteStore } from './store.js'

const KEY = { station: 'AG-017', parameter: 'COD', from: 0, to: BEGIN * 2, limit: 10 }
const code = (expected: string, retry = false) => expect.objectContaining({ code: expected, retry })
let dir: TempDir
let file: string

beforeEach(async () => {
  dir = await tempDir()
  file = join(dir.path, 'series.sqlite')
})
afterEach(() => dir.remove())

describe('opening', () => {
  it('makes the directory and the file', async () => {
    const dataDir = join(dir.path, 'a', 'b')
    const store = await SqliteStore.open({ dataDir })
    await store.close()
    await store.close() // twice is fine
    const again = await SqliteStore.open({ dataDir, readOnly: true })
    expect(await again.cursor()).toBe(0)
    await again.close()
  })

  it('tells a reader that no writer has been there yet', async () => {
    await expect(SqliteStore.open({ dataDir: dir.path, readOnly: true })).rejects.toEqual(code('QT_STORE_ABSENT', true))
    await writeFile(file, '')
    await expect(SqliteStore.open({ dataDir: dir.path, readOnly: true })).rejects.toEqual(code('QT_STORE_ABSENT', true))
  })

  it('refuses what is no time series file, and leaves it alone', async () => {
    await writeFile(file, 'Dear diary, '.repeat(1_000))
    await expect(SqliteStore.open({ dataDir: dir.path })).rejects.toEqual(code('QT_STORE_FORMAT'))
  })

  it('refuses a SQLite file of something else', async () => {
    const other = new Database(file)
    other.exec('CREATE TABLE diary (day)')
    other.close()
    await expect(SqliteStore.open({ dataDir: dir.path })).rejects.toEqual(code('QT_STORE_FORMAT'))
  })

  it('refuses a file of a newer version', async () => {
    await (await SqliteStore.open({ dataDir: dir.path })).close()
    const newer = new Database(file)
    newer.pragma('user_version = 2')
    newer.close()
    await expect(SqliteStore.open({ dataDir: dir.path })).rejects.toThrow(/format 2/)
  })

  it('says so when the directory cannot be made', async () => {
    await writeFile(join(dir.path, 'in-the-way'), '')
    const opening = SqliteStore.open({ dataDir: join(dir.path, 'in-the-way', 'data') })
    await expect(opening).rejects.toEqual(code('QT_STORE_OPEN'))
  })
})

describe('a reader beside the writer', () => {
  it('sees each commit at once, new series too, and cannot write', async () => {
    const writer = await SqliteStore.open({ dataDir: dir.path })
    const reader = await SqliteStore.open({ dataDir: dir.path, readOnly: true })
    try {
      expect(await reader.range(KEY)).toEqual([])
      await writer.write([plainReading({ sequence: 3 })], 3)
      expect((await reader.range(KEY)).map(reading => reading.value)).toEqual([82.5])
      expect([await reader.cursor(), (await reader.latest()).length, (await reader.stats()).points]).toEqual([3, 1, 1])
      await expect(reader.write([plainReading()], 4)).rejects.toEqual(code('QT_STORE_MISUSE'))
      await expect(reader.deleteBefore(BEGIN)).rejects.toEqual(code('QT_STORE_MISUSE'))
    } finally {
      await reader.close()
      await writer.close()
    }
    await expect(reader.cursor()).rejects.toEqual(code('QT_STORE_MISUSE'))
    await expect(writer.deleteBefore(BEGIN)).rejects.toEqual(code('QT_STORE_MISUSE'))
  })
})

describe('errors of SQLite', () => {
  it.each([
    ['SQLITE_FULL', 'QT_STORE_FULL', true],
    ['SQLITE_IOERR_SHMSIZE', 'QT_STORE_FULL', true],
    ['SQLITE_IOERR_WRITE', 'QT_STORE_IO', true],
    ['SQLITE_BUSY_SNAPSHOT', 'QT_STORE_BUSY', true],
    ['SQLITE_CORRUPT_INDEX', 'QT_STORE_DAMAGED', false],
    ['EACCES', 'QT_STORE_OPEN', false]
  ] as const)('%s is %s', (theirs, ours, retry) => {
    const cause = Object.assign(new Error('as told by SQLite'), { code: theirs })
    expect(storeError(cause, 'series.sqlite')).toMatchObject({ code: ours, retry, cause })
  })

  it('lets bugs through as they are', () => {
    const bug = new TypeError('x is not a function')
    const known = new StoreError('QT_STORE_FULL', 'full')
    expect([storeError(bug, ''), storeError(known, ''), storeError('text', '')]).toEqual([bug, known, 'text'])
  })
})
