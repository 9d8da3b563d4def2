import { parentPort, workerData } from 'node:worker_threads'
import { Committer } from './committer.js'
import { type Failure, storageFailure } from './errors.js'
import type { FromWriter, PruneResult, ToWriter, WriterSettings } from './messages.js'
import { NOTHING_PRUNED } from './retention.js'

/** Marks that no commit has carried by then are saved by themselves. */
const SAVE_MARKS_AFTER_MS = 250

/** The writer thread: owns the file, does one thing at a time, answers in order. */
if (parentPort === null) throw new Error('writer.js is the journal’s worker thread and runs in no other way')
const port = parentPort
const post = (message: FromWriter, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer)

let committer: Committer
let saving: NodeJS.Timeout | undefined
let closed = false

function start(): void {
  const failure = failureOf(() => {
    committer = new Committer(workerData as WriterSettings)
  })
  if (failure) {
    post({ kind: 'not-ready', failure })
    port.close()
    return
  }
  port.on('message', handle)
  post({ kind: 'ready', lastSequence: committer.lastSequence, cursors: committer.cursors, standing: committer.standing })
}

function handle(message: ToWriter): void {
  if (message.kind === 'commit') commit(message)
  else if (message.kind === 'marks') mark(message)
  else if (message.kind === 'probe')
    post({ kind: 'probed', failure: failureOf(() => committer.probe(message.bytes)), standing: committer.standing })
  else if (message.kind === 'prune') prune(message.now, NOTHING_PRUNED)
  else close()
}

function commit(message: ToWriter & { kind: 'commit' }): void {
  const { buffer } = message
  const failure = failureOf(() => {
    const { block, repeats, commitMs } = committer.commit(message, message.mayRepeat)
    const { first, count, bytes } = block
    post({ kind: 'committed', buffer, first, count, repeats, bytes: bytes.length, commitMs, standing: committer.standing }, [buffer])
  })
  if (failure) {
    post({ kind: 'refused', buffer, failure }, [buffer])
    return
  }
  committer.foldLog()
  failureOf(() => committer.relieve()) // a slice deletes more than a commit adds; should it fail, the next commit says so
}

function mark({ marks }: ToWriter & { kind: 'marks' }): void {
  committer.mark(marks)
  saving ??= setTimeout(() => {
    saving = undefined
    failureOf(() => committer.saveMarks()) // on failure they stay unsaved and ride on a later commit
  }, SAVE_MARKS_AFTER_MS)
}

/** Slice by slice, commits in between. */
function prune(now: number, before: PruneResult): void {
  if (closed) return
  let slice = NOTHING_PRUNED
  const failure = failureOf(() => {
    slice = committer.prune(now)
  })
  const result = { blocks: before.blocks + slice.blocks, records: before.records + slice.records, bytes: before.bytes + slice.bytes }
  if (slice.blocks > 0) setImmediate(() => prune(now, result))
  else post({ kind: 'pruned', result, failure, standing: committer.standing })
}

function close(): void {
  closed = true
  clearTimeout(saving)
  committer.close()
  port.close() // with it the thread ends
}

/** What the storage answered, or null. An error that is not the storage's is a fault of ours and ends the thread. */
function failureOf(work: () => void): Failure | null {
  try {
    work()
    return null
  } catch (error) {
    const failure = storageFailure(error)
    if (!failure) throw error
    return failure
  }
}

start()
