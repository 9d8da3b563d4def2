import { BackupError } from '#libs/adapters/backup'
import { createBackup } from './backup/create.js'
import type { Manifest } from './backup/manifest.js'
import { restoreBackup } from './backup/restore.js'
import { verifyBackup } from './backup/verify.js'
import type { Call, Command } from './command.js'
import { textOption, usageError } from './command.js'

const create: Command = {
  words: 'backup create',
  usage: 'DIR',
  help: 'copies the data of a running server into the new folder DIR',
  async run({ config, positional, print }) {
    const dir = onlyArgument(create, positional)
    const manifest = await untilSignal(signal => createBackup({ config, dir, signal, print }))
    tell(manifest, print)
    for (const name of manifest.leftOut) print(`not in the backup: ${name}`)
    print(`backup ${dir} is complete`)
    return 0
  }
}

const verify: Command = {
  words: 'backup verify',
  usage: 'DIR',
  help: 'checks every byte of a backup; exit 1 when something is wrong',
  async run({ positional, print }) {
    const dir = onlyArgument(verify, positional)
    const { manifest, findings } = await verifyBackup(dir)
    tell(manifest, print)
    for (const finding of findings) print(`wrong: ${finding}`)
    print(findings.length === 0 ? `backup ${dir} is sound` : `backup ${dir} is damaged`)
    return findings.length === 0 ? 0 : 1
  }
}

const restore: Command = {
  words: 'backup restore',
  usage: 'DIR --to EMPTY_DATA_DIR',
  help: 'makes a data directory out of a backup, after verifying it',
  options: { to: { type: 'string' } },
  async run({ positional, options, print }) {
    const dir = onlyArgument(restore, positional)
    const to = textOption(options, 'to')
    if (!to) throw usageError(restore, '--to is missing')
    const manifest = await restoreBackup(dir, to)
    tell(manifest, print)
    for (const line of whatFollows(manifest)) print(line)
    print(`restored into ${to}: start the server with QUANTRAC_DATA_DIR=${to}, as the user who owns it`)
    return 0
  }
}

function onlyArgument(command: Command, positional: readonly string[]): string {
  const [dir] = positional
  if (!dir || positional.length > 1) throw usageError(command, 'name one folder')
  return dir
}

function tell(manifest: Manifest, print: Call['print']): void {
  const { product, madeAt, journal, positions, files, elsewhere } = manifest
  print(`made ${madeAt} by version ${product}`)
  print(`journal records ${journal.first} to ${journal.last}`)
  for (const { consumer, sequence } of positions) print(`consumer ${consumer} at ${sequence}`)
  for (const { name, bytes, schema } of files) print(`${name} ${bytes} bytes schema ${schema}`)
  for (const { what, where, how } of elsewhere) print(`not in the backup: ${what}, kept in ${where}; save it with ${how}`)
}

/** What lies outside is not taken back with this, and may be newer than the restored journal. */
function whatFollows({ elsewhere, journal }: Manifest): string[] {
  return elsewhere.flatMap(({ where }) =>
    where === 'InfluxDB'
      ? [
          `next: the server writes the journal to InfluxDB again, from record ${journal.first} on, and doubles nothing; what is older than that`,
          '      comes from a backup of InfluxDB (influx restore). Readings that came in after this backup stay there.'
        ]
      : [
          'next: restore PostgreSQL from a dump older than this backup (pg_restore), then let it follow this journal before the server starts:',
          '      npm run -s ops -- state adopt. On a state that is newer, alarms of readings that are lost stay.'
        ]
  )
}

/** Runs `work` with a signal that SIGINT and SIGTERM abort, so that what is half done is removed. */
async function untilSignal<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  const stop = () => controller.abort(new BackupError('QT_BACKUP_INTERRUPTED', 'stopped by a signal; nothing was left behind'))
  const names = ['SIGINT', 'SIGTERM'] as const
  for (const name of names) process.once(name, stop)
  try {
    return await work(controller.signal)
  } finally {
    for (const name of names) process.off(name, stop)
  }
}

export const backupCommands: readonly Command[] = [create, verify, restore]
