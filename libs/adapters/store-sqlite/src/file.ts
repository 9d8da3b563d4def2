import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { StoreError, storeError } from './errors.js'

/**
 * The file `series.sqlite`: SQLite in WAL mode, `synchronous = NORMAL`. A commit is not fsynced; a power cut may take the last
 * ones away, but always whole and always from the end, and the cursor goes back with the readings: the journal replays them.
 *
 * - `series`: station, parameter, unit of the first reading.
 * - `part`: all older parts; key = series id × 2^43 + start in milliseconds; one row per series and hour (part.ts says when more).
 *   One integer key keeps the points of a series side by side in a single tree: a third cheaper to write than a key of two columns.
 * - `tail`: the newest part of each series. Side by side, so that a batch which brings every series a point dirties few pages, and
 *   the newest readings of all series are one scan. A part moves from here to `part` when the next one begins.
 * - `conflict`: readings that lost against an earlier one of the same identity and revision, each once, as a part of one point.
 * - `meta`: the cursor and two counters, one row. Moves in the transaction that writes the points.
 * - `fate`: what became of readings that were not new, by journal record (fate-table.ts).
 */
export const FILE_NAME = 'series.sqlite'

const FORMAT = 1
/** 'qtTS': tells the file from other SQLite files. */
const APPLICATION_ID = 0x71745453
const BUSY_TIMEOUT_MS = 5_000
const PAGE_BYTES = 4_096
/** Checkpoint when the WAL has this many pages (16 MiB): busy pages are then copied once per many commits. */
const CHECKPOINT_PAGES = 4_096
const LARGEST_WAL_BYTES = 64 * 2 ** 20
const CACHE_KIB = 16_384

/** LATEST (2200-01-01) is below 2^43 ms, so a key holds 2^20 - 1 series. */
export const START_BITS = 43
export const START_MASK = 2 ** START_BITS - 1

const TABLES = `
  CREATE TABLE series (
    id INTEGER PRIMARY KEY CHECK (id < 1048576), station TEXT NOT NULL, parameter TEXT NOT NULL, unit TEXT NOT NULL,
    UNIQUE (station, parameter)
  );
  CREATE TABLE part (key INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
  CREATE TABLE tail (series_id INTEGER PRIMARY KEY, start INTEGER NOT NULL, bytes BLOB NOT NULL);
  CREATE TABLE conflict (
    series_id INTEGER NOT NULL, at INTEGER NOT NULL, revision INTEGER NOT NULL,
    other REAL NOT NULL, other_status TEXT NOT NULL, other_unit TEXT NOT NULL,
    kept REAL NOT NULL, kept_status TEXT NOT NULL, kept_unit TEXT NOT NULL,
    sequence INTEGER NOT NULL, received_at INTEGER NOT NULL, bytes BLOB NOT NULL,
    PRIMARY KEY (series_id, at, revision, other, other_status, other_unit)
  ) WITHOUT ROWID;
  CREATE INDEX conflict_by_sequence ON conflict (sequence);
  CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1), cursor INTEGER NOT NULL, part_count INTEGER NOT NULL, point_count INTEGER NOT NULL
  );
  INSERT INTO meta VALUES (1, 0, 0, 0);
  CREATE VIEW part_by_series AS
    SELECT station, parameter, datetime((key & ${START_MASK}) / 1000, 'unixepoch') AS start_utc, length(bytes) AS size
    FROM part JOIN series ON series.id = key >> ${START_BITS};
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${FORMAT};`

/** Younger than format 1 and beside it: a file without it gets it when it is next opened to write. */
const FATES = `
  CREATE TABLE IF NOT EXISTS fate (
    sequence INTEGER NOT NULL, item INTEGER NOT NULL, fate INTEGER NOT NULL, PRIMARY KEY (sequence, item)
  ) WITHOUT ROWID;`

/** How to open the file. */
export interface FileOptions {
  readonly dataDir: string
  readonly readOnly: boolean
  /** Largest size of the file in bytes; undefined: as large as the disk. */
  readonly maxBytes: number | undefined
}

/** Opens the file, and makes it where it is missing and may be written. Throws a StoreError. */
export function openFile({ dataDir, readOnly, maxBytes }: FileOptions): Database.Database {
  const file = join(dataDir, FILE_NAME)
  let db: Database.Database | undefined
  try {
    if (!readOnly) mkdirSync(dataDir, { recursive: true })
    db = connect(file, readOnly)
    if (!readOnly) prepareToWrite(db, maxBytes)
    checkFormat(db, file)
    if (!readOnly) db.transaction(() => db?.exec(FATES)).immediate()
    return db
  } catch (error) {
    db?.close()
    throw storeError(error, file)
  }
}

function connect(file: string, readOnly: boolean): Database.Database {
  try {
    return new Database(file, { readonly: readOnly, fileMustExist: readOnly, timeout: BUSY_TIMEOUT_MS })
  } catch (cause) {
    if (!readOnly) throw cause
    throw new StoreError('QT_STORE_ABSENT', `${file}: there is no time series file yet; the server makes it when it starts`, { cause })
  }
}

function prepareToWrite(db: Database.Database, maxBytes: number | undefined): void {
  db.pragma(`page_size = ${PAGE_BYTES}`)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = NORMAL')
  db.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
  db.pragma(`journal_size_limit = ${LARGEST_WAL_BYTES}`)
  db.pragma(`cache_size = -${CACHE_KIB}`)
  if (maxBytes !== undefined) db.pragma(`max_page_count = ${Math.max(1, Math.floor(maxBytes / PAGE_BYTES))}`)
  const make = db.transaction(() => {
    if (isEmpty(db)) db.exec(TABLES)
  })
  make.immediate()
}

function checkFormat(db: Database.Database, file: string): void {
  if (isEmpty(db)) throw new StoreError('QT_STORE_ABSENT', `${file}: the server has not made its tables yet`)
  const application = db.pragma('application_id', { simple: true })
  if (application !== APPLICATION_ID) throw new StoreError('QT_STORE_FORMAT', `${file}: this is not a time series file`)
  const format = db.pragma('user_version', { simple: true })
  if (format === FORMAT) return
  throw new StoreError(
    'QT_STORE_FORMAT',
    `${file}: format ${String(format)} is of another version of the product; this one reads format ${FORMAT}`
  )
}

const isEmpty = (db: Database.Database): boolean => db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() === 0
