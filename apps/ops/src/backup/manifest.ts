import { existsSync, readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { BackupError, digestOf, sync } from '#libs/adapters/backup'

/**
 * The files of a backup, in the order in which they are copied. What is derived comes before what it is derived from, so no
 * cursor of the copy is ahead of the copied journal; the state comes before the sessions, so a message that the state calls
 * delivered stands in the sessions' queues (one that is in both is sent again, with the same key).
 */
export const FILES = ['state.sqlite', 'series.sqlite', 'sessions.sqlite', 'journal.sqlite'] as const
export type FileName = (typeof FILES)[number]

export const MANIFEST = 'manifest.json'
/** In the format of `sha256sum --check`, so that a backup can be checked without the product. */
export const SUMS = 'SHA256SUMS'

const FORMAT = 1
const sequence = z.number().int().min(0)

const Manifest = z.strictObject({
  format: z.literal(FORMAT),
  /** Version of the product that made it. */
  product: z.string().min(1),
  /** RFC 3339. */
  madeAt: z.string().min(1),
  journal: z.strictObject({ first: sequence, last: sequence }),
  /** Applied up to `sequence`; a start on the copy reads again what comes after `kept`. */
  positions: z.array(z.strictObject({ consumer: z.string(), sequence, kept: sequence })),
  files: z
    .array(
      z.strictObject({
        name: z.enum(FILES),
        bytes: z.number().int().min(1),
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
        /** Rights of the original, octal, for the restored file. */
        mode: z.string().regex(/^[0-7]{3}$/),
        /** Version of the file's layout, as its library counts it. */
        schema: z.string()
      })
    )
    .min(1),
  /** What the running installation keeps outside its data directory, and how that is saved. */
  elsewhere: z.array(z.strictObject({ what: z.string(), where: z.string(), how: z.string() })),
  /** Entries of the data directory that are not part of a backup. */
  leftOut: z.array(z.string())
})
export type Manifest = z.infer<typeof Manifest>

/** Version of the product, from its package.json. */
export function productVersion(): string {
  const text = readFileSync(new URL('../../../../../package.json', import.meta.url), 'utf8')
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version
}

/** Writes the manifest and the list of checksums, both on the disk when this resolves. */
export async function writeManifest(dir: string, manifest: Omit<Manifest, 'format'>): Promise<void> {
  const file = join(dir, MANIFEST)
  await writeFile(file, `${JSON.stringify({ format: FORMAT, ...manifest }, null, 2)}\n`, { mode: 0o600 })
  await writeFile(join(dir, SUMS), await sumsOf(dir, manifest), { mode: 0o600 })
  for (const path of [file, join(dir, SUMS), dir]) await sync(path)
}

async function sumsOf(dir: string, { files }: Pick<Manifest, 'files'>): Promise<string> {
  const sums = [...files, { name: MANIFEST, sha256: await digestOf(join(dir, MANIFEST)) }]
  return sums.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join('')
}

/** @throws BackupError QT_BACKUP_INCOMPLETE, QT_BACKUP_NEWER, QT_BACKUP_DAMAGED */
export async function readManifest(dir: string): Promise<Manifest> {
  const [text, sums] = await Promise.all([readOrNull(join(dir, MANIFEST)), readOrNull(join(dir, SUMS))])
  if (text === null || sums === null)
    throw new BackupError('QT_BACKUP_INCOMPLETE', `${dir} is no finished backup: ${text === null ? MANIFEST : SUMS} is missing`)
  const manifest = parse(text, dir)
  if (sums !== (await sumsOf(dir, manifest)))
    throw new BackupError(
      'QT_BACKUP_DAMAGED',
      `${MANIFEST} and ${SUMS} in ${dir} contradict each other: one of them is not what was written`
    )
  return manifest
}

function parse(text: string, dir: string): Manifest {
  const raw = jsonOf(text)
  const parsed = Manifest.safeParse(raw)
  if (parsed.success) return parsed.data
  const format = z.object({ format: z.number().min(FORMAT + 1) }).safeParse(raw)
  if (format.success)
    throw new BackupError('QT_BACKUP_NEWER', `${dir} has format ${format.data.format}; this version of the product reads ${FORMAT}`)
  throw new BackupError('QT_BACKUP_DAMAGED', `${join(dir, MANIFEST)} is no manifest of a backup: ${z.prettifyError(parsed.error)}`)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

async function readOrNull(file: string): Promise<string | null> {
  return existsSync(file) ? readFile(file, 'utf8') : null
}
