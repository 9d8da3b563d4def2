import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { copyFile, open } from 'node:fs/promises'

/** SHA-256 of a file, as 64 hexadecimal digits. */
export async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file, { highWaterMark: 2 ** 20 })) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** Puts a file's bytes, or a folder's entries, on the disk. */
export async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** A copy that its owner alone reads or that has the given rights, on the disk when this resolves. */
export async function copyDurably(source: string, target: string, mode: number): Promise<void> {
  await copyFile(source, target)
  const handle = await open(target, 'r+')
  try {
    await handle.chmod(mode)
    await handle.sync()
  } finally {
    await handle.close()
  }
}
