import { AppendQueue } from './append-queue.js'
import { FRAME_BYTES } from './block.js'
import { JournalConfig, type JournalSettings } from './config.js'
import { CursorMarks } from './cursor-marks.js'
import { journalFile } from './database.js'
import { Deferred } from './deferred.js'
import { type Failure, JournalError, toJournalError } from './errors.js'
import { makeDirectory } from './folder.js'
import { HealthRecord, type JournalHealth } from './health.js'
import { Listeners } from './listeners.js'
import { type DirectoryLock, lockDirectory } from './lock.js'
import type { Committed, PruneResult, Standing } from './messages.js'
import type { AppendOptions, AppendResult, JournalRecord } from './record.js'
import { type Answer, type Ready, WriterLink } from './writer-link.js'

/** One commit, as told to listeners. */
export interface CommitInfo {
  readonly records: number
  readonly bytes: number
  /** Time of the transaction with its fsync, in the writer. */
  readonly commitMs: number
}

export interface JournalStats extends Standing {
  readonly lastSequence: number
  readonly maxBytes: number
  readonly cursors: ReadonlyMap<string, number>
  /** Since the journal was opened. `refused` counts appends that were rejected, for whatever reason. */
  readonly appended: number
  readonly repeated: number
  readonly refused: number
  readonly commits: number
  readonly committedBytes: number
  readonly writerRestarts: number
}

/**
 * Durable, ordered log of byte records: an append that resolved is on disk and is read back, once, under its sequence.
 *
 * - Sequences start at 1, rise by one and are never used again. Accepted appends settle in the order of the calls.
 * - Appends gather while one commit is in flight; no timer delays them (group commit).
 * - When storage fails, what waits is rejected, nothing of it is kept, and the journal tries by itself until it works again.
 */
export class Journal {
  readonly #config: JournalConfig
  readonly #lock: DirectoryLock
  readonly #link: WriterLink
  readonly #queue: AppendQueue
  readonly #marks: CursorMarks
  readonly #health = new HealthRecord()
  readonly #commitListeners = new Listeners<[number, CommitInfo]>()
  readonly #counts = { appended: 0, repeated: 0, refused: 0, commits: 0, committedBytes: 0 }
  #standing: Standing = { firstSequence: 0, usedBytes: 0, walBytes: 0 }
  #lastSequence = 0
  #flushScheduled = false
  #probing = false
  #probeBytes = 0
  #triedAt = 0
  #probeTimer: NodeJS.Timeout | undefined
  #pruning: Deferred<PruneResult> | null = null
  #draining: Deferred<void> | null = null
  #closing: Promise<void> | null = null

  private constructor(config: JournalConfig, lock: DirectoryLock) {
    this.#config = config
    this.#lock = lock
    this.#queue = new AppendQueue(config.batchBytes)
    const { dir, maxBytes, softShare, maxAgeMs, walBytes, faultPoint, faultAfter } = config
    this.#link = new WriterLink(
      {
        file: journalFile(dir),
        maxBytes,
        softBytes: maxBytes * softShare,
        maxAgeMs,
        walBytes: Math.min(walBytes, Math.floor(maxBytes / 8)),
        faultPoint,
        faultAfter
      },
      { onAnswer: answer => this.#onAnswer(answer), onDown: error => this.#fail(error), onUp: ready => this.#onUp(ready) }
    )
    this.#marks = new CursorMarks(config.markIntervalMs, marks => this.#link.send({ kind: 'marks', marks }))
  }

  /**
   * Opens or makes the journal in `dir`, for this process alone.
   *
   * Throws QT_JOURNAL_LOCKED, QT_JOURNAL_FORMAT, QT_JOURNAL_CORRUPT, QT_JOURNAL_FULL or QT_JOURNAL_IO, and a ZodError for wrong settings.
   */
  static async open(settings: JournalSettings): Promise<Journal> {
    const config = JournalConfig.parse(settings)
    try {
      makeDirectory(config.dir)
    } catch (error) {
      throw toJournalError(error)
    }
    const lock = lockDirectory(config.dir)
    const journal = new Journal(config, lock)
    try {
      const ready = await journal.#link.start()
      journal.#takeOver(ready)
      return journal
    } catch (error) {
      lock.release()
      throw error
    }
  }

  /**
   * Keeps a record. Resolves when it is on disk, in the order of the calls.
   *
   * Rejects with QT_JOURNAL_FULL, QT_JOURNAL_QUOTA, QT_JOURNAL_IO or QT_JOURNAL_WRITER when storage fails (in order too), and at
   * once with QT_JOURNAL_BACKLOG, QT_JOURNAL_RECORD_TOO_LARGE, QT_JOURNAL_CLOSED, or, while storage fails, its last error. After
   * QT_JOURNAL_WRITER and QT_JOURNAL_IO the record may have been kept all the same: send it again with `mayRepeat`.
   */
  append(record: JournalRecord, options?: AppendOptions): Promise<AppendResult> {
    const refusal = this.#refusal(FRAME_BYTES + record.head.length + record.body.length)
    if (refusal !== null) {
      this.#counts.refused++
      return Promise.reject(refusal)
    }
    const promise = this.#queue.add(record, options?.mayRepeat === true)
    if (!this.#flushScheduled && !this.#queue.isFlying) {
      // The end of this turn of the event loop: all that one turn receives shares a commit.
      this.#flushScheduled = true
      setImmediate(this.#flush)
    }
    return promise
  }

  /** Sequence of the newest durable record; 0 before the first. */
  get lastSequence(): number {
    return this.#lastSequence
  }

  /** Calls the listener after each commit, before what awaits its appends goes on. Returns the function that ends it. */
  onCommit(listener: (lastSequence: number, commit: CommitInfo) => void): () => void {
    return this.#commitListeners.add(listener)
  }

  health(): JournalHealth {
    return this.#health.current
  }

  /** Calls the listener once per change of state or code. Returns the function that ends it. */
  onHealth(listener: (health: JournalHealth) => void): () => void {
    return this.#health.changes.add(listener)
  }

  /** Appended, not yet durable. */
  backlog(): { records: number; bytes: number } {
    return { records: this.#queue.records, bytes: this.#queue.bytes }
  }

  /**
   * The consumer `cursor` needs nothing up to `sequence` any more. For retention only: a consumer keeps its own cursor where its
   * effects are. Costs no commit; after a crash the mark may be a second or so behind, which only keeps records longer.
   */
  mark(cursor: string, sequence: number): void {
    if (!Number.isSafeInteger(sequence) || sequence < 0) throw new RangeError(`'${cursor}' cannot have passed record ${sequence}`)
    this.#marks.set(cursor, sequence)
  }

  /** The consumer is no more: it holds up nothing. */
  forget(cursor: string): void {
    this.#marks.forget(cursor)
  }

  stats(): JournalStats {
    return {
      ...this.#standing,
      ...this.#counts,
      lastSequence: this.#lastSequence,
      maxBytes: this.#config.maxBytes,
      cursors: new Map(this.#marks.cursors),
      writerRestarts: this.#link.restarts
    }
  }

  /**
   * Deletes the blocks that all marked consumers have passed and that were committed more than `maxAgeMs` before `now`; while over
   * the soft share of the quota, passed ones of any age. Commits go on in between. Rejects with what the storage answers.
   */
  prune(now: number): Promise<PruneResult> {
    if (this.#closing) return Promise.reject(closedError())
    if (!this.#link.isUp) return Promise.reject(this.#health.error ?? closedError())
    if (this.#pruning) return this.#pruning.promise
    this.#pruning = new Deferred()
    this.#marks.flush()
    this.#link.send({ kind: 'prune', now })
    return this.#pruning.promise
  }

  /** Takes nothing more, waits for what was appended, saves marks, gives the folder free. May be called again. */
  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  async #end(): Promise<void> {
    if (this.#queue.records > 0) {
      this.#draining = new Deferred()
      await this.#draining.promise
    }
    clearTimeout(this.#probeTimer)
    this.#marks.flush()
    await this.#link.stop()
    this.#pruning?.reject(closedError())
    this.#lock.release()
  }

  /** Why this append cannot be taken; null when it can. */
  #refusal(size: number): JournalError | null {
    if (this.#closing) return closedError()
    if (size > this.#config.maxRecordBytes) {
      return new JournalError('QT_JOURNAL_RECORD_TOO_LARGE', `a record of ${size} bytes is larger than ${this.#config.maxRecordBytes}`)
    }
    if (this.#queue.bytes + size > this.#config.maxBacklogBytes && this.#queue.records > 0) {
      return new JournalError('QT_JOURNAL_BACKLOG', `${this.#queue.bytes} bytes wait for the disk already`)
    }
    return this.#health.error === null || this.#mayTry() ? null : this.#health.error
  }

  /**
   * While storage fails: whether an append may go to the writer now. Time counts from the last failure, so while a try is under way
   * every append may join and waits behind it: all settle in order.
   */
  #mayTry(): boolean {
    return this.#link.isUp && performance.now() - this.#triedAt >= this.#config.probeIntervalMs
  }

  readonly #flush = (): void => {
    this.#flushScheduled = false
    if (this.#probing || !this.#link.isUp) return
    const message = this.#queue.takeOff()?.toMessage()
    if (message) this.#link.send(message, [message.buffer])
  }

  #onAnswer(answer: Answer): void {
    if (answer.kind === 'committed') this.#onCommitted(answer)
    else if (answer.kind === 'refused') this.#fail(failureError(answer.failure), answer.buffer)
    else if (answer.kind === 'probed') this.#onProbed(answer)
    else this.#onPruned(answer)
  }

  #onCommitted(answer: Committed): void {
    const batch = this.#queue.land(answer.buffer)
    this.#flush() // first the disk, then those who wait
    this.#standing = answer.standing
    this.#counts.repeated += answer.repeats.length / 2
    if (answer.count > 0) this.#countCommit(answer)
    batch.resolve(answer)
    if (answer.count > 0)
      this.#commitListeners.tell(this.#lastSequence, { records: answer.count, bytes: answer.bytes, commitMs: answer.commitMs })
    this.#checkDrained()
  }

  #countCommit({ first, count, bytes }: Committed): void {
    this.#counts.commits++
    this.#counts.appended += count
    this.#counts.committedBytes += bytes
    this.#lastSequence = first + count - 1
    this.#link.proven()
    this.#health.recover()
  }

  /** Nothing of what waits was kept (or, where the writer died, nobody knows): everyone is told, in order. */
  #fail(error: JournalError, buffer?: ArrayBuffer): void {
    this.#triedAt = performance.now()
    this.#probing = false
    this.#counts.refused += this.#queue.records
    if (this.#queue.flyingBytes > 0) this.#probeBytes = Math.min(this.#queue.flyingBytes, this.#config.batchBytes)
    this.#health.fail(error)
    this.#queue.rejectAll(error, buffer)
    if (!this.#link.isUp) this.#endPruning(error)
    this.#probeLater()
    this.#checkDrained()
  }

  #probeLater(): void {
    clearTimeout(this.#probeTimer)
    this.#probeTimer = setTimeout(() => this.#probe(), this.#config.probeIntervalMs).unref()
  }

  /** Asks the writer to write as much as failed and to delete it again. */
  #probe(): void {
    if (this.#health.error === null || this.#closing || !this.#link.isUp) return
    if (this.#queue.records > 0) return this.#probeLater() // an append is trying just now
    this.#probing = true
    this.#marks.flush()
    this.#link.send({ kind: 'probe', bytes: this.#probeBytes })
  }

  #onProbed({ failure, standing }: Answer & { kind: 'probed' }): void {
    this.#probing = false
    this.#standing = standing
    if (failure) return this.#fail(failureError(failure))
    this.#health.recover()
    this.#flush()
  }

  #onPruned({ result, failure, standing }: Answer & { kind: 'pruned' }): void {
    this.#standing = standing
    if (failure) this.#endPruning(failureError(failure))
    this.#pruning?.resolve(result)
    this.#pruning = null
  }

  #endPruning(error: JournalError): void {
    this.#pruning?.reject(error)
    this.#pruning = null
  }

  #onUp(ready: Ready): void {
    this.#takeOver(ready)
    this.#marks.resend(ready.cursors)
    this.#probe()
  }

  /** A batch whose answer the dead writer did not send may be in the file after all. */
  #takeOver({ lastSequence, standing, cursors }: Ready): void {
    const records = lastSequence - this.#lastSequence
    this.#standing = standing
    this.#lastSequence = lastSequence
    this.#marks.load(cursors)
    if (records > 0) this.#commitListeners.tell(lastSequence, { records, bytes: 0, commitMs: 0 })
  }

  #checkDrained(): void {
    if (this.#queue.records === 0) this.#draining?.resolve()
  }
}

function closedError(): JournalError {
  return new JournalError('QT_JOURNAL_CLOSED', 'the journal is closed')
}

function failureError({ code, message }: Failure): JournalError {
  return new JournalError(code, message)
}
