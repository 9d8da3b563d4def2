import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readdirSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import Database from 'better-sqlite3'
import { type TempDir, tempDir } from '#libs/testkit'
import { checkDatabase, copyDatabase } from './copy-database.js'
import { BackupError } from './errors.js'

const NEVER = new AbortController().signal

describe('a copy of a SQLite file', () => {
  let dir: TempDir
  const ends: (() => void)[] = []

  beforeEach(async () => {
    dir = await tempDir()
  })

  afterEach(async () => {
    for (const end of ends.splice(0)) end()
    await dir.remove()
  })

  const path = (name: string): string => join(dir.path, name)

  async function busyFile(): Promise<string> {
    const script = fileURLToPath(new URL('../test/busy-writer.js', import.meta.url))
    const writer = spawn(process.execPath, [script, path('busy.sqlite')], { stdio: ['ignore', 'pipe', 'inherit'] })
    ends.push(() => writer.kill('SIGKILL'))
    await once(writer.stdout, 'data')
    return path('busy.sqlite')
  }

  function smallFile(): string {
    const db = new Database(path('small.sqlite'))
    db.exec(`CREATE TABLE t (x TEXT); PRAGMA user_version = 7; PRAGMA journal_mode = WAL; INSERT INTO t VALUES ('${'x'.repeat(20_000)}')`)
    ends.push(() => db.close())
    return path('small.sqlite')
  }

  it('ends while another process commits without a pause, and is of one instant', async () => {
    const source = await busyFile()
    await copyDatabase(source, path('copy.sqlite'), NEVER)
    const copy = new Database(path('copy.sqlite'), { readonly: true })
    ends.push(() => copy.close())
    const [debit, credit] = ['debit', 'credit'].map(table => copy.prepare(`SELECT count(*), max(n) FROM ${table}`).raw().get())
    expect(debit).toEqual(credit)
    expect(checkDatabase(path('copy.sqlite'))).toEqual([])
  })

  it('is one file, without companions, also after it was read', async () => {
    expect(await copyDatabase(smallFile(), path('copy.sqlite'), NEVER)).toEqual({ userVersion: 7 })
    expect(checkDatabase(path('copy.sqlite'))).toEqual([])
    expect(readdirSync(dir.path).filter(name => name.startsWith('copy'))).toEqual(['copy.sqlite'])
  })

  it('stops with the reason of the signal', async () => {
    const reason = new BackupError('QT_BACKUP_INTERRUPTED', 'enough')
    await expect(copyDatabase(await busyFile(), path('copy.sqlite'), AbortSignal.abort(reason))).rejects.toBe(reason)
  })

  it('tells that there is nothing to copy', async () => {
    const copying = copyDatabase(path('nothing.sqlite'), path('copy.sqlite'), NEVER)
    await expect(copying).rejects.toMatchObject({ code: 'QT_BACKUP_FAILED', message: expect.stringContaining('nothing.sqlite') })
  })

  it('with a page overwritten does not pass the check', async () => {
    await copyDatabase(smallFile(), path('copy.sqlite'), NEVER)
    writeSync(openSync(path('copy.sqlite'), 'r+'), Buffer.alloc(4_096, 0xff), 0, 4_096, 4_096)
    expect(checkDatabase(path('copy.sqlite'))).not.toEqual([])
    expect(checkDatabase(path('nothing.sqlite'))).not.toEqual([])
  })
})
