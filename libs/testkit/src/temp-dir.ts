import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A fresh directory for one test. */
export interface TempDir {
  readonly path: string
  /** Removes it with all that is in it. */
  remove(): Promise<void>
}

export async function tempDir(): Promise<TempDir> {
  const path = await mkdtemp(join(tmpdir(), 'quantrac-test-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}
