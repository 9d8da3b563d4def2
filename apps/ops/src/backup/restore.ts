import { existsSync, readdirSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { asBackupError, BackupError, copyDurably, digestOf, sync } from '#libs/adapters/backup'
import { FILES, type FileName, type Manifest } from './manifest.js'
import { verifyBackup } from './verify.js'

/** A file has this ending until all of them are there: a server does not see it, and a restore that was killed is told by it. */
const UNFINISHED = '.restoring'

/**
 * Makes a data directory out of a verified backup. The directory must be missing or empty; it may be a mount point.
 * @throws BackupError QT_BACKUP_TARGET, QT_BACKUP_INCOMPLETE, QT_BACKUP_NEWER, QT_BACKUP_DAMAGED, QT_BACKUP_NO_ROOM, QT_BACKUP_FAILED
 */
export async function restoreBackup(dir: string, to: string): Promise<Manifest> {
  const target = resolve(to)
  refuseTarget(target)
  const { manifest, findings } = await verifyBackup(dir)
  if (findings.length > 0) throw new BackupError('QT_BACKUP_DAMAGED', `${dir} is not restored:\n  ${findings.join('\n  ')}`)
  const made = await mkdir(target, { recursive: true, mode: 0o700 })
  try {
    for (const file of manifest.files) await copyIn(join(dir, file.name), join(target, `${file.name}${UNFINISHED}`), file)
    // The journal first: whoever starts a server on a half restored directory gets a replay, not cursors without a journal.
    for (const name of FILES.toReversed()) await appear(target, name, manifest)
    await sync(target)
    if (made) await sync(dirname(made))
    return manifest
  } catch (error) {
    for (const { name } of manifest.files) await rm(join(target, `${name}${UNFINISHED}`), { force: true })
    throw asBackupError(error, `restoring into ${target}`)
  }
}

function refuseTarget(target: string): void {
  if (!existsSync(target)) return
  const found = readdirSync(target).filter(name => name !== 'lost+found')
  if (found.length === 0) return
  const text = `${target} is not empty (${found.slice(0, 5).join(', ')}); restore into an empty directory, and keep the old one until all is well`
  throw new BackupError('QT_BACKUP_TARGET', text)
}

async function copyIn(source: string, target: string, { name, mode, sha256 }: Manifest['files'][number]): Promise<void> {
  await copyDurably(source, target, Number.parseInt(mode, 8))
  if ((await digestOf(target)) !== sha256) throw new BackupError('QT_BACKUP_FAILED', `${name} was not copied as it is; is the disk sound?`)
}

async function appear(target: string, name: FileName, manifest: Manifest): Promise<void> {
  if (manifest.files.some(file => file.name === name)) await rename(join(target, `${name}${UNFINISHED}`), join(target, name))
}
