import { existsSync, readdirSync, statfsSync, statSync } from 'node:fs'
import { chmod, mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { asBackupError, BackupError, copyDatabase, digestOf, sync } from '#libs/adapters/backup'
import { formatInstant } from '#libs/model'
import type { Config } from '#libs/platform'
import { ahead, type Contents, contentsOf, gaps } from './contents.js'
import { FILES, type FileName, type Manifest, productVersion, writeManifest } from './manifest.js'

export interface Creation {
  readonly config: Config
  readonly dir: string
  readonly signal: AbortSignal
  readonly print: (line: string) => void
}

type CopiedFile = Manifest['files'][number]

/** Locks and the process number: they mean nothing in a copy. SQLite's companions are folded into the copies. */
const NOT_KEPT = /^(server|journal|sessions)\.(lock|pid)$|-(wal|shm|journal)$/
/** Times that all files are copied when retention overtakes the copy. */
const ATTEMPTS = 3
/** Left free, so that the journal of the running server does not meet a full disk because of its backup. */
const RESERVE_BYTES = 64 * 2 ** 20

/**
 * Copies the data directory of a server that may be running into a new folder `dir`. It appears there under its name only when
 * it is whole and on the disk.
 * @throws BackupError QT_BACKUP_EXISTS, QT_BACKUP_NO_ROOM, QT_BACKUP_FAILED, QT_BACKUP_INTERRUPTED; JournalError QT_JOURNAL_MISSING
 */
export async function createBackup(creation: Creation): Promise<Manifest> {
  const { config, print } = creation
  const dir = resolve(creation.dir)
  refusePlace(dir, config)
  const names = filesOf(config)
  refuseFullDisk(dir, config.dataDir, names)
  const partial = `${dir}.partial-${process.pid}`
  try {
    await mkdir(dirname(dir), { recursive: true, mode: 0o700 })
    await mkdir(partial, { mode: 0o700 })
    const manifest = await fill(partial, names, creation)
    await writeManifest(partial, manifest)
    await publish(partial, dir)
    tellLeftovers(dir, print)
    return { format: 1, ...manifest }
  } catch (error) {
    await rm(partial, { recursive: true, force: true })
    throw asBackupError(error, `the backup ${dir}`)
  }
}

function refusePlace(dir: string, config: Config): void {
  if (existsSync(dir)) throw new BackupError('QT_BACKUP_EXISTS', `${dir} is there already; a backup never writes over anything`)
  if (`${dir}${sep}`.startsWith(`${resolve(config.dataDir)}${sep}`))
    throw new BackupError('QT_BACKUP_EXISTS', `${dir} lies in the data directory; a backup belongs on another disk`)
}

/** The journal is always there; the others where the installation keeps them in files. */
function filesOf(config: Config): FileName[] {
  const elsewhere: FileName[] = [
    ...(config.stateUrl ? ['state.sqlite' as const] : []),
    ...(config.influx ? ['series.sqlite' as const] : [])
  ]
  return FILES.filter(name => !elsewhere.includes(name) && (name === 'journal.sqlite' || existsSync(join(config.dataDir, name))))
}

function refuseFullDisk(dir: string, dataDir: string, names: readonly FileName[]): void {
  let parent = dirname(dir)
  while (!existsSync(parent)) parent = dirname(parent)
  const parts = names.flatMap(name => [name, `${name}-wal`]).map(name => join(dataDir, name))
  const needed = parts.reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0)
  const disk = statfsSync(parent)
  const free = disk.bavail * disk.bsize
  if (free >= needed + RESERVE_BYTES) return
  const text = `${parent} has ${mebibytes(free)} free; the backup needs ${mebibytes(needed)}, and ${mebibytes(RESERVE_BYTES)} stay free`
  throw new BackupError('QT_BACKUP_NO_ROOM', text)
}

const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`

/**
 * Copies the files and looks at what they are together. Between the copies the running server may have deleted journal records
 * that an already copied file still needs: then it is copied again.
 */
async function fill(partial: string, names: readonly FileName[], creation: Creation): Promise<Omit<Manifest, 'format'>> {
  for (let attempt = 1; ; attempt++) {
    const copied = await copyAll(partial, names, creation)
    const contents = await contentsOf(partial)
    const wrong = ahead(contents)
    if (wrong.length > 0) throw new BackupError('QT_BACKUP_FAILED', `the copied files do not fit together: ${wrong.join('; ')}`)
    const missing = gaps(contents)
    if (missing.length === 0 || attempt === ATTEMPTS) {
      for (const gap of missing) creation.print(`note: ${gap}; so it was in the running server`)
      return describe(copied, contents, creation.config)
    }
    for (const name of names) await rm(join(partial, name))
  }
}

async function copyAll(partial: string, names: readonly FileName[], { config, signal, print }: Creation): Promise<CopiedFile[]> {
  const copied: CopiedFile[] = []
  for (const name of names) {
    const [source, target] = [join(config.dataDir, name), join(partial, name)]
    const { userVersion } = await copyDatabase(source, target, signal)
    await chmod(target, 0o600) // webhooks' signing keys and the hashes of tokens lie in the state
    await sync(target)
    const bytes = statSync(target).size
    const mode = (statSync(source).mode & 0o777).toString(8).padStart(3, '0')
    copied.push({ name, bytes, sha256: await digestOf(target), mode, schema: String(userVersion) })
    signal.throwIfAborted()
    print(`copied ${name} ${bytes} bytes`)
  }
  return copied
}

function describe(copied: readonly CopiedFile[], contents: Contents, config: Config): Omit<Manifest, 'format'> {
  const { journal, positions, stateSchema } = contents
  return {
    product: productVersion(),
    madeAt: formatInstant(Date.now()),
    journal,
    positions,
    files: copied.map(file => (file.name === 'state.sqlite' ? { ...file, schema: stateSchema ?? '' } : file)),
    elsewhere: elsewhere(config),
    leftOut: readdirSync(config.dataDir).filter(name => !copied.some(file => file.name === name) && !NOT_KEPT.test(name))
  }
}

function elsewhere(config: Config): Manifest['elsewhere'] {
  const state = {
    what: 'state (alarms, credentials, tokens, recipients, outbox, cursors)',
    where: 'PostgreSQL',
    how: 'pg_dump --format=custom, taken before this backup and never after it'
  }
  const series = { what: 'time series', where: 'InfluxDB', how: 'influx backup, taken before this backup; or a replay of the journal' }
  return [...(config.stateUrl ? [state] : []), ...(config.influx ? [series] : [])]
}

async function publish(partial: string, dir: string): Promise<void> {
  if (existsSync(dir)) throw new BackupError('QT_BACKUP_EXISTS', `${dir} was made by somebody else meanwhile`)
  await rename(partial, dir)
  await sync(dirname(dir))
}

function tellLeftovers(dir: string, print: (line: string) => void): void {
  const parent = dirname(dir)
  for (const name of readdirSync(parent).filter(entry => /\.partial-\d+$/.test(entry)))
    print(`note: ${join(parent, name)} is of a backup that was killed, or that still runs; if none runs, delete it`)
}
