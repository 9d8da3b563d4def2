import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { checkDatabase, digestOf } from '#libs/adapters/backup'
import { verifyJournal } from '#libs/journal'
import { messageOf } from '#libs/model'
import { ahead, contentsOf } from './contents.js'
import { MANIFEST, type Manifest, readManifest, SUMS } from './manifest.js'

export interface Verified {
  readonly manifest: Manifest
  /** What is wrong; nothing in a sound backup. */
  readonly findings: readonly string[]
}

/**
 * Reads every byte of a backup: checksums, SQLite's integrity check, each record of the journal, and that no consumer is ahead of
 * the journal. Changes nothing.
 * @throws BackupError QT_BACKUP_INCOMPLETE, QT_BACKUP_NEWER, QT_BACKUP_DAMAGED (the manifest itself)
 */
export async function verifyBackup(dir: string): Promise<Verified> {
  const manifest = await readManifest(dir)
  const broken = [...strangers(dir, manifest), ...(await damagedFiles(dir, manifest))]
  // What is no longer what was written need not be understood.
  return { manifest, findings: broken.length > 0 ? broken : await unsound(dir, manifest) }
}

/** A companion of SQLite's that lies beside a file changes what is read from it. */
function strangers(dir: string, manifest: Manifest): string[] {
  const known = new Set<string>([MANIFEST, SUMS, ...manifest.files.map(({ name }) => name)])
  return readdirSync(dir)
    .filter(name => !known.has(name))
    .map(name => `${name} is no part of the backup`)
}

async function damagedFiles(dir: string, { files }: Manifest): Promise<string[]> {
  const findings: string[] = []
  for (const { name, bytes, sha256 } of files) {
    const file = join(dir, name)
    if (!existsSync(file)) findings.push(`${name} is missing`)
    else if (statSync(file).size !== bytes) findings.push(`${name} has ${statSync(file).size} bytes instead of ${bytes}`)
    else if ((await digestOf(file)) !== sha256) findings.push(`${name} does not have the bytes that were written`)
  }
  return findings
}

async function unsound(dir: string, { files }: Manifest): Promise<string[]> {
  const structure = files.flatMap(({ name }) => checkDatabase(join(dir, name)).map(finding => `${name}: ${finding}`))
  try {
    const report = verifyJournal(dir)
    const journal = report.sound ? [] : [`journal: ${report.damagedRecords} damaged records, ${report.missing.length} gaps`]
    return [...structure, ...journal, ...ahead(await contentsOf(dir))]
  } catch (error) {
    return [...structure, messageOf(error)]
  }
}
