import { JournalError, type JournalErrorCode, storageFailure } from './errors.js'
import type { PruneResult, Standing, WriterSettings } from './messages.js'
import { REPEAT_WINDOW, RepeatIndex } from './repeats.js'
import { agedRule, deleteSlice, NOTHING_PRUNED, passedRule, type RetentionRule } from './retention.js'
import { type PackedBatch, type RepeatFinder, type SealedBatch, sealBatch } from './seal.js'
import { BlockStore, type Marks } from './store.js'

export interface CommitResult extends SealedBatch {
  readonly commitMs: number
}

/** Failures after which the connection is as it was before. */
const ROLLED_BACK: ReadonlySet<JournalErrorCode | undefined> = new Set(['QT_JOURNAL_QUOTA', 'QT_JOURNAL_FULL'])

/**
 * The writer's work without its thread: commits, quota, repeats, retention. Every method but `close` throws what the storage
 * answers; a connection that met an I/O error is not trusted again but opened anew, and so is what was known from it.
 */
export class Committer {
  readonly #settings: WriterSettings
  readonly #cursors: Map<string, number>
  /** Marks that are not in the file yet; they ride on the next commit. */
  readonly #unsaved = new Map<string, number | null>()
  #open: BlockStore | null = null
  #index: RepeatIndex | null = null
  #lastSequence = 0
  #firstSequence = 0
  /** Never below the truth: what was measured, plus the most that commits since then can have added. */
  #pageBytes = 0
  #walBytes = 0
  #bytesSinceCheckpoint = 0
  #failed = false
  #commits = 0

  constructor(settings: WriterSettings) {
    this.#settings = settings
    this.#cursors = this.#store.cursors()
  }

  get lastSequence(): number {
    return this.#lastSequence
  }

  get cursors(): ReadonlyMap<string, number> {
    return this.#cursors
  }

  get standing(): Standing {
    return { firstSequence: this.#firstSequence, usedBytes: this.#pageBytes + this.#walBytes, walBytes: this.#walBytes }
  }

  get #isPressed(): boolean {
    return this.#pageBytes + this.#walBytes > this.#settings.softBytes
  }

  /** The connection, opened when there is none, with what is known from the file. */
  get #store(): BlockStore {
    if (this.#open) return this.#open
    const store = new BlockStore(this.#settings.file, this.#settings.walBytes)
    this.#index = null
    this.#lastSequence = store.lastSequence()
    this.#measure(store)
    this.#open = store
    return store
  }

  commit(batch: PackedBatch, mayRepeat: boolean): CommitResult {
    return this.#guard(store => {
      const sealed = sealBatch(batch, this.#lastSequence + 1, Date.now(), this.#repeatFinder(store, mayRepeat))
      const began = performance.now()
      if (sealed.block.count > 0) this.#keep(store, sealed)
      return { ...sealed, commitMs: performance.now() - began }
    })
  }

  /** Takes consumers' positions; `saveMarks` or the next commit makes them durable. */
  mark(marks: Marks): void {
    for (const [name, sequence] of marks) {
      this.#unsaved.set(name, sequence)
      if (sequence === null) this.#cursors.delete(name)
      else this.#cursors.set(name, sequence)
    }
  }

  saveMarks(): void {
    if (this.#unsaved.size === 0) return
    this.#guard(store => store.transact(() => store.saveMarks(this.#unsaved)))
    this.#unsaved.clear()
  }

  /** Learns whether a block of so many bytes could be kept now; throws the reason when not. */
  probe(bytes: number): void {
    this.#guard(store => {
      this.#makeRoom(store, bytes)
      this.#withRoomOfLog(store, () => store.probe(bytes))
      this.#measure(store)
    })
  }

  /** For after the acknowledgement: folds a log that has grown large. Should it fail, nothing is lost; the log keeps it. */
  foldLog(): void {
    if (this.#bytesSinceCheckpoint < this.#settings.walBytes) return
    this.#bytesSinceCheckpoint = 0
    this.#attempt(store => {
      store.checkpoint('PASSIVE')
      this.#measure(store)
    })
  }

  /** Deletes a slice of what is old and passed by all, or, over the soft share, of what is passed by all. */
  prune(now: number): PruneResult {
    const aged = this.#delete(agedRule(this.#cursors, now - this.#settings.maxAgeMs))
    return aged.blocks > 0 ? aged : this.relieve()
  }

  /** Over the soft share: deletes a slice of what all consumers have passed, whatever its age. */
  relieve(): PruneResult {
    return this.#isPressed ? this.#delete(passedRule(this.#cursors)) : NOTHING_PRUNED
  }

  /** Never throws: what was acknowledged is safe already. */
  close(): void {
    this.#attempt(store => {
      store.transact(() => store.saveMarks(this.#unsaved))
      store.checkpoint('TRUNCATE')
    })
    this.#dropConnection()
  }

  #keep(store: BlockStore, { block }: SealedBatch): void {
    this.#commits++
    const size = block.bytes.length + block.directory.length
    try {
      this.#makeRoom(store, size)
      this.#withRoomOfLog(store, () =>
        store.transact(() => {
          store.insert(block)
          if (this.#unsaved.size > 0) store.saveMarks(this.#unsaved)
          this.#faultAt('before-commit')
        })
      )
    } catch (error) {
      this.#index?.takeBack(block.first)
      throw error
    }
    this.#faultAt('after-commit-before-ack')
    this.#unsaved.clear()
    this.#lastSequence = block.first + block.count - 1
    if (this.#firstSequence === 0) this.#firstSequence = block.first
    this.#pageBytes += store.costOf(size)
    this.#walBytes = store.walBytes()
    this.#bytesSinceCheckpoint += store.costOf(size)
  }

  /** Throws QT_JOURNAL_QUOTA when a block of `size` bytes, in the log and then in the file, would pass the quota. */
  #makeRoom(store: BlockStore, size: number): void {
    const fits = (): boolean => this.#pageBytes + this.#walBytes + 2 * store.costOf(size) <= this.#settings.maxBytes
    if (fits()) return
    do {
      store.checkpoint('TRUNCATE')
      this.#measure(store)
    } while (!fits() && this.#deleteFrom(store, passedRule(this.#cursors)).blocks > 0)
    if (!fits()) throw new JournalError('QT_JOURNAL_QUOTA', `the journal has reached its quota of ${this.#settings.maxBytes} bytes`)
  }

  #delete(rule: RetentionRule): PruneResult {
    return this.#guard(store => this.#deleteFrom(store, rule))
  }

  #deleteFrom(store: BlockStore, rule: RetentionRule): PruneResult {
    const result = deleteSlice(store, rule, this.#lastSequence)
    if (result.blocks > 0) this.#measure(store)
    return result
  }

  #repeatFinder(store: BlockStore, mayRepeat: boolean): RepeatFinder | null {
    if (mayRepeat && !this.#index) this.#index = buildIndex(store, this.#lastSequence)
    const index = this.#index
    return (
      index && {
        find: (bodyCrc, isSame) => index.find(bodyCrc, isSame),
        add: (sequence, bodyCrc) => index.add(sequence, bodyCrc),
        holds: (sequence, body) => store.holds(sequence, body)
      }
    )
  }

  #measure(store: BlockStore): void {
    this.#pageBytes = store.pageBytes()
    this.#walBytes = store.walBytes()
    this.#firstSequence = store.firstSequence()
  }

  #guard<T>(work: (store: BlockStore) => T): T {
    if (this.#failed) this.#attempt(store => store.checkpoint('PASSIVE'))
    this.#failed = false
    try {
      return work(this.#store)
    } catch (error) {
      if (!ROLLED_BACK.has(storageFailure(error)?.code)) {
        this.#failed = true
        this.#dropConnection()
      }
      throw error
    }
  }

  /** A full disk may have room inside the log, once that is folded into the file. `work` must leave nothing when it fails. */
  #withRoomOfLog(store: BlockStore, work: () => void): void {
    try {
      work()
    } catch (error) {
      if (storageFailure(error)?.code !== 'QT_JOURNAL_FULL') throw error
      try {
        store.checkpoint('PASSIVE')
      } catch (second) {
        if (!storageFailure(second)) throw second
        throw error // the log cannot be folded either
      }
      work()
    }
  }

  /** For what may fail without harm; errors that are not the storage's are ours and still thrown. */
  #attempt(work: (store: BlockStore) => void): void {
    try {
      work(this.#store)
    } catch (error) {
      this.#dropConnection()
      if (!storageFailure(error)) throw error
    }
  }

  #dropConnection(): void {
    const store = this.#open
    this.#open = null
    try {
      store?.close()
    } catch (error) {
      if (!storageFailure(error)) throw error
    }
  }

  #faultAt(point: WriterSettings['faultPoint']): void {
    const { faultPoint, faultAfter } = this.#settings
    if (this.#commits !== faultAfter) return
    if (faultPoint === point) process.kill(process.pid, 'SIGKILL')
    if (faultPoint === 'writer-crash') throw new Error('writer-crash was asked for')
  }
}

/** Reads the directories of the window, not the records. */
function buildIndex(store: BlockStore, lastSequence: number): RepeatIndex {
  const from = Math.max(1, lastSequence - REPEAT_WINDOW + 1, store.firstSequence())
  const index = new RepeatIndex(from)
  store.eachBodyCrc(from, (sequence, bodyCrc) => index.add(sequence, bodyCrc))
  return index
}
