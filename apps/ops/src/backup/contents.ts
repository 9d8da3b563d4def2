import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { inspectState } from '#libs/adapters/state'
import { SqliteStore } from '#libs/adapters/store-sqlite'
import { withJournal } from '../with-journal.js'
import type { Manifest } from './manifest.js'

/** What lies in the copied files, read through the libraries that own them. */
export interface Contents extends Pick<Manifest, 'journal' | 'positions'> {
  /** Newest migration of the state; null where there is no state file. */
  readonly stateSchema: string | null
}

/** Reads the standing of a folder with the files of a data directory; writes nothing there. */
export async function contentsOf(dir: string): Promise<Contents> {
  const state = existsSync(join(dir, 'state.sqlite')) ? inspectState(dir) : null
  const store = existsSync(join(dir, 'series.sqlite')) ? [await storePosition(dir)] : []
  const journal = await withJournal(dir, reader => ({ first: reader.firstSequence(), last: reader.lastSequence() }))
  return { journal, positions: [...store, ...(state?.positions ?? [])], stateSchema: state?.schema ?? null }
}

async function storePosition(dir: string): Promise<Manifest['positions'][number]> {
  const store = await SqliteStore.open({ dataDir: dir, readOnly: true })
  try {
    const sequence = await store.cursor()
    return { consumer: 'store', sequence, kept: sequence }
  } finally {
    await store.close()
  }
}

/** Consumers that are ahead of the journal: they would pass over what comes in next. */
export const ahead = ({ journal, positions }: Contents): string[] =>
  positions
    .filter(({ sequence }) => sequence > journal.last)
    .map(({ consumer, sequence }) => `consumer ${consumer} stands at record ${sequence}, the journal ends at ${journal.last}`)

/** Consumers that need records which the journal has no more. */
export const gaps = ({ journal, positions }: Contents): string[] =>
  positions
    .filter(({ kept }) => kept + 1 < journal.first)
    .map(({ consumer, kept }) => `consumer ${consumer} goes on after record ${kept}, the journal begins at ${journal.first}`)
