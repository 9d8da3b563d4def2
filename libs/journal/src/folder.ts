import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** Makes the folder, and its entry in the folders above durable, where it was missing. */
export function makeDirectory(dir: string): void {
  const firstMade = mkdirSync(dir, { recursive: true })
  if (firstMade === undefined || process.platform === 'win32') return // Windows cannot open a folder to sync it
  const top = dirname(resolve(firstMade))
  for (let folder = dirname(resolve(dir)); folder.length >= top.length; folder = dirname(folder)) {
    syncFolder(folder)
    if (folder === top) break
  }
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
