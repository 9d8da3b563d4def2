import { accessSync, closeSync, constants, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import Database from 'better-sqlite3'
import { messageOf } from '#libs/model'
import { isBusy, StateError } from './errors.js'

/** Secrets lie in the data directory (signing keys of webhooks, hashes of tokens): the owner alone reads it. */
const OWNER_ONLY_DIR = 0o700
const OWNER_ONLY_FILE = 0o600

/**
 * Makes the data directory if it is missing, and sees that it can be written.
 * @throws StateError QT_DATA_DIR_UNWRITABLE
 */
function ensureDataDir(dataDir: string): void {
  try {
    makeDir(resolve(dataDir))
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    throw unwritable(dataDir, error)
  }
}

/** Node's own recursive mkdir never returns where a file system answers ENOENT under a directory that is there, as /proc does. */
function makeDir(dir: string): void {
  if (existsSync(dir)) return
  makeDir(dirname(dir))
  try {
    mkdirSync(dir, { mode: OWNER_ONLY_DIR })
  } catch (error) {
    if (!existsSync(dir)) throw error // otherwise another program was faster
  }
}

/** Makes an empty file that only its owner reads, unless it is there. SQLite gives its companions (-wal, -shm) the same rights. */
export function ensureFile(dataDir: string, name: string): string {
  ensureDataDir(dataDir)
  const path = join(dataDir, name)
  try {
    closeSync(openSync(path, 'a', OWNER_ONLY_FILE))
  } catch (error) {
    throw unwritable(dataDir, error)
  }
  return path
}

function unwritable(dataDir: string, error: unknown): StateError {
  const text = `cannot write the data directory ${resolve(dataDir)}: ${messageOf(error)}; give this user the right to write there, or set QUANTRAC_DATA_DIR`
  return new StateError('QT_DATA_DIR_UNWRITABLE', text, { cause: error })
}

export interface ServerLock {
  /** Lets another server have the directory. Safe to call twice. */
  close(): void
}

/**
 * Takes the data directory for one server: an EXCLUSIVE transaction on `server.lock`, held until `close()` or the end of
 * the process. It is a lock of the kernel, so kill -9 releases it and no stale file ever blocks a start. The operator's
 * command line takes no lock: it works beside a running server.
 * @throws StateError QT_DATA_DIR_IN_USE, QT_DATA_DIR_UNWRITABLE
 */
export function serverLock(dataDir: string): ServerLock {
  const file = ensureFile(dataDir, 'server.lock')
  const lock = new Database(file, { timeout: 0 })
  const pidFile = join(dataDir, 'server.pid')
  try {
    lock.exec('begin exclusive')
    writeFileSync(pidFile, `${process.pid}\n`, { mode: OWNER_ONLY_FILE })
  } catch (error) {
    lock.close()
    throw isBusy(error) ? inUse(dataDir, pidFile) : unwritable(dataDir, error)
  }
  return { close: () => void lock.close() }
}

function inUse(dataDir: string, pidFile: string): StateError {
  const text = `the data directory ${resolve(dataDir)} is used by another server${holder(pidFile)}; stop that one, or set QUANTRAC_DATA_DIR`
  return new StateError('QT_DATA_DIR_IN_USE', text)
}

/** Only a help for the reader: the file is written after the lock is taken, so for an instant it may name the one before. */
function holder(pidFile: string): string {
  try {
    return ` (process ${readFileSync(pidFile, 'utf8').trim()})`
  } catch {
    return ''
  }
}
