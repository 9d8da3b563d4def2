import { randomInt } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { JournalError, toJournalError } from './errors.js'

/**
 * The SQLite file. Everything that depends on the SQLite library stands here, in `store.ts` and `lock.ts`.
 *
 * - block: one row per commit (block.ts). `directory` stands before `bytes`, so that reading it alone leaves the bytes on disk.
 * - cursor: how far each consumer has come; for retention only.
 * - meta: `highWater` = the last sequence when blocks were last deleted, so that none is used again when no block is left.
 *   `identity` = a random number that tells this journal from every other, for cursors that are kept elsewhere.
 * - probe: what is written, and deleted again, to learn whether a disk that failed takes data.
 */
const SCHEMA = `
  CREATE TABLE block (
    first INTEGER PRIMARY KEY, count INTEGER NOT NULL, committed_at INTEGER NOT NULL, directory BLOB NOT NULL, bytes BLOB NOT NULL
  );
  CREATE TABLE cursor (name TEXT PRIMARY KEY, sequence INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE probe (bytes BLOB NOT NULL);
`

/** 'QTJL': marks the file as a journal for `file(1)` and for us. */
const APPLICATION_ID = 0x51544a4c
const FORMAT_VERSION = 1

/** randomInt gives 48 bits at most. */
const LARGEST_IDENTITY = 2 ** 48 - 1

/** Readers never block a writer in WAL mode; what may hold the lock for a moment is a person's tool. */
const WRITER_WAIT_MS = 100

export const LAST_SEQUENCE = `
  SELECT max(coalesce((SELECT first + count - 1 FROM block ORDER BY first DESC LIMIT 1), 0),
             coalesce((SELECT value FROM meta WHERE name = 'highWater'), 0))`
export const IDENTITY = "SELECT value FROM meta WHERE name = 'identity'"
export const FIRST_SEQUENCE = 'SELECT min(first) FROM block'

export function journalFile(dir: string): string {
  return join(dir, 'journal.sqlite')
}

/** Opens the file for the one writer; makes it when it is missing. */
export function openForWriting(file: string, walBytes: number): Database.Database {
  const db = new Database(file, { timeout: WRITER_WAIT_MS })
  try {
    if (db.pragma('journal_mode = WAL', { simple: true }) !== 'wal') {
      throw new JournalError('QT_JOURNAL_IO', `${file} is on a file system that cannot keep a write-ahead log (a network share?)`)
    }
    db.pragma('cache_size = -8000') // KiB; blocks are written once and read once
    db.pragma('synchronous = FULL') // each commit is fsynced before it returns
    db.pragma('wal_autocheckpoint = 0') // the writer does it, after it has acknowledged
    db.pragma(`journal_size_limit = ${walBytes}`)
    ensureSchema(db, file)
    db.prepare("INSERT OR IGNORE INTO meta (name, value) VALUES ('identity', ?)").run(randomInt(1, LARGEST_IDENTITY))
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** Opens the file for reading, also while it is written to, from any thread or process. */
export function openForReading(dir: string): Database.Database {
  const file = journalFile(dir)
  if (!existsSync(file)) throw new JournalError('QT_JOURNAL_MISSING', `there is no journal to read in ${dir}`)
  let db: Database.Database | undefined
  try {
    db = new Database(file, { readonly: true, fileMustExist: true })
    db.pragma('cache_size = -2000')
    checkFormat(db, file)
    return db
  } catch (error) {
    db?.close()
    throw toJournalError(error)
  }
}

/**
 * Makes the journal in `dir` another one, which it is once it was restored from a copy: it will give sequence numbers again that
 * were in use, and whoever keeps a cursor elsewhere must not take the new records for the old ones. Only while nothing runs on it.
 */
export function renewIdentity(dir: string): void {
  const db = new Database(journalFile(dir), { fileMustExist: true })
  try {
    checkFormat(db, journalFile(dir))
    db.prepare("INSERT OR REPLACE INTO meta (name, value) VALUES ('identity', ?)").run(randomInt(1, LARGEST_IDENTITY))
  } finally {
    db.close()
  }
}

function ensureSchema(db: Database.Database, file: string): void {
  if (db.pragma('user_version', { simple: true }) !== 0) return checkFormat(db, file)
  if (db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() !== 0) throw notAJournal(file)
  db.exec(`BEGIN IMMEDIATE; ${SCHEMA} PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT_VERSION}; COMMIT`)
}

function checkFormat(db: Database.Database, file: string): void {
  const version = db.pragma('user_version', { simple: true })
  if (db.pragma('application_id', { simple: true }) !== APPLICATION_ID) throw notAJournal(file)
  if (version !== FORMAT_VERSION)
    throw new JournalError('QT_JOURNAL_FORMAT', `${file} has format ${String(version)}; this program reads ${FORMAT_VERSION}`)
}

function notAJournal(file: string): JournalError {
  return new JournalError('QT_JOURNAL_FORMAT', `${file} is not a journal`)
}
