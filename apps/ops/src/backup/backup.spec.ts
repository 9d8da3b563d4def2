import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, watch, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import Database from 'better-sqlite3'
import { BackupError } from '#libs/adapters/backup'
import { hashSecret, State } from '#libs/adapters/state'
import { SqliteStore } from '#libs/adapters/store-sqlite'
import { acknowledge, mergeAlarm } from '#libs/alarms'
import { Journal, JournalReader } from '#libs/journal'
import { readConfig } from '#libs/platform'
import { type TempDir, tempDir } from '#libs/testkit'
import { createBackup } from './create.js'
import { MANIFEST, type Manifest, SUMS } from './manifest.js'
import { restoreBackup } from './restore.js'
import { verifyBackup } from './verify.js'

const NEVER = new AbortController().signal
const OPS = 'dist/apps/ops/src/main.js'
const RECORD_BYTES = 4 * 2 ** 20

describe('backup', () => {
  let temp: TempDir
  let data: string
  let backup: string
  const lines: string[] = []
  const children: ChildProcess[] = []

  beforeEach(async () => {
    temp = await tempDir()
    data = join(temp.path, 'data')
    backup = join(temp.path, 'backup')
    lines.length = 0
    await fillDataDir(3)
  })

  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
    await temp.remove()
  })

  async function fillDataDir(records: number, recordBytes = 100): Promise<void> {
    const journal = await Journal.open({ dir: data })
    for (let n = 0; n < records; n++) await journal.append({ head: new Uint8Array(4), body: new Uint8Array(recordBytes).fill(n) })
    await journal.close()
    const state = await State.open({ dataDir: data, life: { mergeAlarm, acknowledge } })
    await state.credentials.set('AG-017', 'main', hashSecret(`secret-${records}`))
    await state.close()
    const store = await SqliteStore.open({ dataDir: data })
    await store.write([], records)
    await store.close()
  }

  const create = (environment: Record<string, string> = {}) =>
    createBackup({ config: readConfig({ QUANTRAC_DATA_DIR: data, ...environment }), dir: backup, signal: NEVER, print })
  const print = (line: string): void => void lines.push(line)

  const partials = (): string[] => readdirSync(temp.path).filter(name => name.includes('.partial-'))

  /** Starts the real command and runs `act` as soon as it has begun to write. */
  async function interrupted(act: (child: ChildProcess) => void): Promise<{ code: number | null; errors: string }> {
    const child = spawn(process.execPath, [OPS, 'backup', 'create', backup], {
      env: { PATH: process.env['PATH'], QUANTRAC_DATA_DIR: data },
      stdio: ['ignore', 'ignore', 'pipe']
    })
    children.push(child)
    let errors = ''
    child.stderr.on('data', chunk => (errors += String(chunk)))
    const begun = watch(temp.path, (_event, name) => {
      if (name?.includes('.partial-')) begun.close()
    })
    await Promise.race([once(begun, 'close'), once(child, 'close')])
    act(child)
    const [code] =
      child.exitCode === null && child.signalCode === null ? ((await once(child, 'close')) as [number | null]) : [child.exitCode]
    begun.close()
    return { code, errors }
  }

  const editManifest = (edit: (manifest: Manifest) => object): void => {
    const text = JSON.stringify(edit(JSON.parse(readFileSync(join(backup, MANIFEST), 'utf8')) as Manifest))
    writeFileSync(join(backup, MANIFEST), text)
    const { files } = JSON.parse(text) as Manifest
    const sums = [...files, { name: MANIFEST, sha256: createHash('sha256').update(text).digest('hex') }]
    writeFileSync(join(backup, SUMS), sums.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join(''))
  }

  describe('create', () => {
    it('copies the files, with what is in them, and the copy verifies', async () => {
      const manifest = await create()
      expect(manifest).toMatchObject({ journal: { first: 1, last: 3 }, elsewhere: [], leftOut: [] })
      expect(manifest.positions).toEqual([{ consumer: 'store', sequence: 3, kept: 3 }])
      expect(manifest.files.map(({ name, schema }) => [name, schema])).toEqual([
        ['state.sqlite', '0002-ledger'],
        ['series.sqlite', '1'],
        ['journal.sqlite', '1']
      ])
      expect(await verifyBackup(backup)).toMatchObject({ findings: [] })
      for (const name of readdirSync(backup)) expect(statSync(join(backup, name)).mode & 0o777).toBe(0o600)
      expect(partials()).toEqual([])
    })

    it('no cursor of the copy is ahead of its journal, though the server goes on between the files', async () => {
      const later = join(temp.path, 'later')
      const journal = await Journal.open({ dir: later })
      for (let n = 0; n < 9; n++) await journal.append({ head: new Uint8Array(4), body: new Uint8Array(100).fill(n) })
      await journal.close()
      const [live, series] = ['journal', 'series'].map(name => new Database(join(data, `${name}.sqlite`)))
      live?.exec(`ATTACH '${join(later, 'journal.sqlite')}' AS later`)
      let kept = 3
      const keepAndStoreOneMore = (): void => {
        live?.prepare('INSERT INTO block SELECT * FROM later.block WHERE first = ?').run(++kept)
        series?.prepare('UPDATE meta SET cursor = ?').run(kept)
      }
      const config = readConfig({ QUANTRAC_DATA_DIR: data })
      const manifest = await createBackup({ config, dir: backup, signal: NEVER, print: keepAndStoreOneMore })
      for (const db of [live, series]) db?.close()
      expect(manifest).toMatchObject({ journal: { first: 1, last: 5 }, positions: [{ consumer: 'store', sequence: 4 }] })
      expect(await verifyBackup(backup)).toMatchObject({ findings: [] })
    })

    it('writes over nothing, and not into the data directory', async () => {
      mkdirSync(backup)
      await expect(create()).rejects.toMatchObject({ code: 'QT_BACKUP_EXISTS' })
      backup = join(data, 'backup')
      await expect(create()).rejects.toMatchObject({ code: 'QT_BACKUP_EXISTS' })
      expect(readdirSync(data)).not.toContain('backup')
    })

    it('without a journal there is nothing to back up', async () => {
      data = join(temp.path, 'nothing')
      mkdirSync(data)
      await expect(create()).rejects.toMatchObject({ code: 'QT_BACKUP_FAILED', message: expect.stringContaining('journal.sqlite') })
      expect(partials()).toEqual([])
    })

    it('names what lies elsewhere and with what it is saved, and no secret', async () => {
      const manifest = await create({
        QUANTRAC_STATE_URL: 'postgres://quantrac:very-secret@db/quantrac',
        QUANTRAC_INFLUX_URL: 'http://influx:8086',
        QUANTRAC_INFLUX_TOKEN: 'very-secret'
      })
      expect(manifest.files.map(({ name }) => name)).toEqual(['journal.sqlite'])
      expect(manifest.leftOut).toEqual(['series.sqlite', 'state.sqlite'])
      expect(manifest.elsewhere.map(({ where, how }) => `${where}: ${how}`)).toEqual([
        expect.stringContaining('PostgreSQL: pg_dump'),
        expect.stringContaining('InfluxDB: influx backup')
      ])
      expect(readFileSync(join(backup, MANIFEST), 'utf8')).not.toContain('very-secret')
    })

    it('tells of records that a cursor needs and the journal has no more', async () => {
      const journal = new Database(join(data, 'journal.sqlite'))
      journal.exec('DELETE FROM block WHERE first = 1')
      journal.close()
      const series = new Database(join(data, 'series.sqlite'))
      series.exec('UPDATE meta SET cursor = 0')
      series.close()
      await create()
      expect(lines).toContainEqual(expect.stringContaining('consumer store goes on after record 0, the journal begins at 2'))
    })

    it('a signal ends it between two files, and nothing is left', async () => {
      const { signal, abort } = abortable()
      const config = readConfig({ QUANTRAC_DATA_DIR: data })
      await expect(createBackup({ config, dir: backup, signal, print: abort })).rejects.toMatchObject({ code: 'QT_BACKUP_INTERRUPTED' })
      expect(readdirSync(temp.path)).toEqual(['data'])
    })

    it('SIGTERM to the command leaves nothing behind', async () => {
      await fillDataDir(8, RECORD_BYTES)
      const { code, errors } = await interrupted(child => child.kill('SIGTERM'))
      expect(errors).toContain('[QT_BACKUP_INTERRUPTED]')
      expect(code).toBe(1)
      expect(readdirSync(temp.path)).toEqual(['data'])
    })

    it('one that was killed half-way is not taken for a backup, and the next one tells of it', async () => {
      await fillDataDir(8, RECORD_BYTES)
      await interrupted(child => child.kill('SIGKILL'))
      expect(existsSync(backup)).toBe(false)
      const [partial = ''] = partials()
      await expect(verifyBackup(join(temp.path, partial))).rejects.toMatchObject({ code: 'QT_BACKUP_INCOMPLETE' })
      const target = join(temp.path, 'restored')
      await expect(restoreBackup(join(temp.path, partial), target)).rejects.toMatchObject({ code: 'QT_BACKUP_INCOMPLETE' })
      expect(existsSync(target)).toBe(false)
      await create()
      expect(lines).toContainEqual(expect.stringContaining(partial))
    })

    it('a disk that takes no more is told, and nothing is left', async () => {
      await fillDataDir(4, RECORD_BYTES)
      // A limit on the size of files stands for the full disk; ignoring its signal makes the write fail, as there.
      const limited = `trap '' XFSZ; ulimit -f 8192; exec "${process.execPath}" ${OPS} backup create "${backup}"`
      const child = spawn('/bin/sh', ['-c', limited], { env: { PATH: process.env['PATH'], QUANTRAC_DATA_DIR: data } })
      children.push(child)
      let errors = ''
      child.stderr.on('data', chunk => (errors += String(chunk)))
      expect(await once(child, 'close')).toEqual([1, null])
      expect(errors).toMatch(/journal\.sqlite.*\[QT_BACKUP_(NO_ROOM|FAILED)\]/)
      expect(readdirSync(temp.path)).toEqual(['data'])
    })
  })

  describe('verify and restore', () => {
    const restore = () => restoreBackup(backup, join(temp.path, 'restored'))

    beforeEach(async () => {
      chmodSync(join(data, 'state.sqlite'), 0o640)
      await create()
    })

    it('restores into a missing or an empty directory, with the rights that the files had', async () => {
      await restore()
      mkdirSync(join(temp.path, 'empty'))
      await restoreBackup(backup, join(temp.path, 'empty'))
      for (const name of ['restored', 'empty']) {
        expect(readdirSync(join(temp.path, name)).sort()).toEqual(['journal.sqlite', 'series.sqlite', 'state.sqlite'])
        expect(statSync(join(temp.path, name, 'state.sqlite')).mode & 0o777).toBe(0o640)
      }
      const state = await State.open({ dataDir: join(temp.path, 'restored'), life: { mergeAlarm, acknowledge } })
      expect(await state.credentials.find('AG-017', hashSecret('secret-3'))).toBeTruthy()
      await state.close()
    })

    it('gives the restored journal an identity of its own, for cursors that are kept elsewhere', async () => {
      await restore()
      const identities = [data, backup, join(temp.path, 'restored')].map(dir => {
        const reader = JournalReader.open(dir)
        const identity = reader.identity()
        reader.close()
        return identity
      })
      expect(identities[1]).toBe(identities[0])
      expect(identities[2]).not.toBe(identities[0])
    })

    it('does not restore where something is', async () => {
      await expect(restoreBackup(backup, data)).rejects.toMatchObject({ code: 'QT_BACKUP_TARGET' })
    })

    it.each(['state.sqlite', 'series.sqlite', 'journal.sqlite', MANIFEST, SUMS])(
      'refuses a backup with one bit of %s flipped',
      async name => {
        const file = join(backup, name)
        const bytes = readFileSync(file)
        const place = Math.floor(bytes.length / 2)
        bytes[place] = (bytes[place] ?? 0) ^ 1
        writeFileSync(file, bytes)
        const outcome = await verifyBackup(backup).catch((error: unknown) => error)
        if (outcome instanceof BackupError) expect(outcome.code).toBe('QT_BACKUP_DAMAGED')
        else expect(outcome).toMatchObject({ findings: [expect.stringContaining(name)] })
        await expect(restore()).rejects.toMatchObject({ code: 'QT_BACKUP_DAMAGED' })
        expect(existsSync(join(temp.path, 'restored'))).toBe(false)
      }
    )

    it.each([
      ['a file is missing', () => writeFileSync(join(backup, 'journal.sqlite'), '')],
      ['a companion was put beside a file', () => writeFileSync(join(backup, 'state.sqlite-wal'), '')]
    ])('finds that %s', async (_what, damage) => {
      damage()
      expect((await verifyBackup(backup)).findings).toHaveLength(1)
      await expect(restore()).rejects.toMatchObject({ code: 'QT_BACKUP_DAMAGED' })
    })

    it('finds a cursor that is ahead of the journal, whatever the checksums say', async () => {
      const file = join(backup, 'series.sqlite')
      const series = new Database(file)
      series.exec('UPDATE meta SET cursor = 4')
      series.close()
      const bytes = readFileSync(file)
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      editManifest(m => ({
        ...m,
        files: m.files.map(f => (f.name === 'series.sqlite' ? { ...f, bytes: bytes.length, sha256 } : f))
      }))
      expect((await verifyBackup(backup)).findings).toEqual(['consumer store stands at record 4, the journal ends at 3'])
    })

    it('refuses a backup of a newer version, and a manifest that is none', async () => {
      editManifest(manifest => ({ ...manifest, format: 2 }))
      await expect(verifyBackup(backup)).rejects.toMatchObject({ code: 'QT_BACKUP_NEWER' })
      editManifest(() => ({ format: 1, files: [{ name: '../../etc/passwd' }] }))
      await expect(verifyBackup(backup)).rejects.toMatchObject({ code: 'QT_BACKUP_DAMAGED' })
      await expect(verifyBackup(basename(backup))).rejects.toMatchObject({ code: 'QT_BACKUP_INCOMPLETE' })
    })
  })
})

function abortable(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort(new BackupError('QT_BACKUP_INTERRUPTED', 'enough')) }
}
