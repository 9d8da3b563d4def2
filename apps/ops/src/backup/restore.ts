import { existsSync, readdirSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { asBackupError, BackupError, copyDurably, digestOf, sync } from '#libs/adapters/backup'
import { renewIdentity } from '#libs/journal'
import { FILES, type Manifest } from './manifest.js'
import { verifyBackup } from './verify.js'

/** The files lie here until all of them are there: a server does not see them, and a restore that was killed is told by it. */
const STAGING = '.restoring'

/**
 * Makes a data directory out of a verified backup. The directory must be missing or empty; it may be a mount point. The restored
 * journal has a new identity: it gives numbers again that were in use after the backup, and whoever keeps a cursor elsewhere
 * must not take the new records for the old ones.
 * @throws BackupError QT_BACKUP_TARGET, QT_BACKUP_INCOMPLETE, QT_BACKUP_NEWER, QT_BACKUP_DAMAGED, QT_BACKUP_NO_ROOM, QT_BACKUP_FAILED
 */
export async function restoreBackup(dir: string, to: string): Promise<Manifest> {
  const target = resolve(to)
  refuseTarget(target)
  const { manifest, findings } = await verifyBackup(dir)
  if (findings.length > 0) throw new BackupError('QT_BACKUP_DAMAGED', `${dir} is not restored:\n  ${findings.join('\n  ')}`)
  const staging = join(target, STAGING)
  try {
    const made = await mkdir(target, { recursive: true, mode: 0o700 })
    await mkdir(staging, { mode: 0o700 })
    for (const file of manifest.files) await copyIn(dir, staging, file)
    renewIdentity(staging)
    await sync(staging)
    await appear(staging, target, manifest)
    if (made) await sync(dirname(made))
    return manifest
  } catch (error) {
    await rm(staging, { recursive: true, force: true })
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

async function copyIn(dir: string, staging: string, { name, mode, sha256 }: Manifest['files'][number]): Promise<void> {
  await copyDurably(join(dir, name), join(staging, name), Number.parseInt(mode, 8))
  if ((await digestOf(join(staging, name))) !== sha256)
    throw new BackupError('QT_BACKUP_FAILED', `${name} was not copied as it is; is the disk sound?`)
}

/** The journal first: whoever starts a server on a half restored directory gets a replay, not cursors without a journal. */
async function appear(staging: string, target: string, { files }: Manifest): Promise<void> {
  for (const name of FILES.toReversed()) {
    if (files.some(file => file.name === name)) await rename(join(staging, name), join(target, name))
  }
  await rm(staging, { recursive: true })
  await sync(target)
}
