import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from '@jest/globals'
import Database from 'better-sqlite3'
import { Journal, type JournalEntry, JournalReader, type JournalRecord, type JournalSettings } from '../src/index.js'

/** Folders and journals of one test file, closed and removed after each test. */
export function scratch() {
  const dirs: string[] = []
  const closing: { close(): unknown }[] = []
  afterEach(async () => {
    for (const one of closing.splice(0).reverse()) await one.close()
    for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true })
  })
  const dir = (): string => {
    const made = mkdtempSync(join(tmpdir(), 'journal-'))
    dirs.push(made)
    return made
  }
  const open = async (settings: JournalSettings): Promise<Journal> => {
    const journal = await Journal.open(settings)
    closing.push(journal)
    return journal
  }
  const read = (from: string, options?: Parameters<typeof JournalReader.open>[1]): JournalReader => {
    const reader = JournalReader.open(from, options)
    closing.push(reader)
    return reader
  }
  return { dir, open, read }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export function record(body: string | Uint8Array, head = ''): JournalRecord {
  return { head: encoder.encode(head), body: typeof body === 'string' ? encoder.encode(body) : body }
}

export function text(entry: JournalEntry | undefined): string {
  return decoder.decode(entry?.body)
}

export const ALL = { records: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY }

export function bodies(reader: JournalReader, after = 0): string[] {
  return reader.read(after, ALL).map(text)
}

/** Bodies of everything in the folder's journal. */
export function readBodies(dir: string): string[] {
  const reader = JournalReader.open(dir)
  try {
    return bodies(reader)
  } finally {
    reader.close()
  }
}

/** Changes the file behind the journal's back, as a failing disk would. */
export function tamper(dir: string, work: (db: Database.Database) => void): void {
  const db = new Database(join(dir, 'journal.sqlite'))
  try {
    work(db)
  } finally {
    db.close()
  }
}

/** Flips the lowest bit of one byte in a column of the block that begins with `first`. */
export function flipByte(
  dir: string,
  { first = 1, column = 'bytes', at }: { first?: number; column?: 'bytes' | 'directory'; at: number }
): void {
  tamper(dir, db => {
    const bytes = db.prepare<[number], Buffer>(`SELECT ${column} FROM block WHERE first = ?`).pluck().get(first) as Buffer
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
    db.prepare(`UPDATE block SET ${column} = ? WHERE first = ?`).run(bytes, first)
  })
}

/** Makes the overflow pages of large rows point nowhere: SQLite can follow none of them any more. */
export function breakOverflowPages(dir: string): void {
  const file = join(dir, 'journal.sqlite')
  const bytes = readFileSync(file)
  for (let page = 2; page * 4_096 <= bytes.length; page++) {
    const at = (page - 1) * 4_096
    if (bytes.readUInt32BE(at) === page + 1) bytes.writeUInt32BE(0x7fff_ffff, at)
  }
  writeFileSync(file, bytes)
}

/** Resolves when the condition holds; the test's own time limit ends the waiting. */
export async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 5))
}
