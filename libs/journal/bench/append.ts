/**
 * Measures the journal: `node dist/libs/journal/bench/append.js [seconds]`. Prints, for 100 writers that each wait for their
 * acknowledgement and for an open stream of appends: records per second, CPU per record of the main thread and of the whole
 * process, latency of an append; then the speed of reading it all back and of opening. CPU of one thread is known on Linux only.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Journal, JournalReader } from '../src/index.js'

const SECONDS = Number(process.argv[2] ?? 5)
const HEAD = new Uint8Array(48).fill(7)
const BODY = new Uint8Array(300).fill(9)

interface Cpu {
  readonly mainUs: number
  readonly allUs: number
}

function cpu(): Cpu {
  const { user, system } = process.cpuUsage()
  return { mainUs: mainThreadUs(), allUs: user + system }
}

function mainThreadUs(): number {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1_000
  } catch {
    return Number.NaN
  }
}

function report(
  name: string,
  { records, seconds, before, latencies }: { records: number; seconds: number; before: Cpu; latencies: number[] }
): void {
  const after = cpu()
  latencies.sort((a, b) => a - b)
  const at = (share: number): string => (latencies[Math.floor(latencies.length * share)] ?? Number.NaN).toFixed(2)
  const main = (after.mainUs - before.mainUs) / records
  const all = (after.allUs - before.allUs) / records
  console.log(
    `${name}: ${Math.round(records / seconds)} records/s; CPU per record: main ${main.toFixed(2)} us, process ${all.toFixed(2)} us; ` +
      `latency p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`
  )
}

async function waitingWriters(journal: Journal, writers: number): Promise<void> {
  const latencies: number[] = []
  const before = cpu()
  const began = performance.now()
  const until = began + SECONDS * 1_000
  const writer = async (): Promise<void> => {
    for (let now = performance.now(); now < until; ) {
      await journal.append({ head: HEAD, body: BODY })
      const after = performance.now()
      latencies.push(after - now)
      now = after
    }
  }
  await Promise.all(Array.from({ length: writers }, writer))
  report(`${writers} writers, each waiting`, { records: latencies.length, seconds: (performance.now() - began) / 1_000, before, latencies })
}

/** As sockets would: 50 appends per turn of the event loop, nobody waits, at most 20,000 on their way. */
async function openStream(journal: Journal): Promise<void> {
  const latencies: number[] = []
  const before = cpu()
  const began = performance.now()
  let records = 0
  while (performance.now() < began + SECONDS * 1_000) {
    for (let i = 0; i < 49; i++) void journal.append({ head: HEAD, body: BODY })
    const sent = performance.now()
    const last = journal.append({ head: HEAD, body: BODY }).then(() => latencies.push(performance.now() - sent))
    records += 50
    await (journal.backlog().records < 20_000 ? new Promise(resolve => setImmediate(resolve)) : last)
  }
  await journal.append({ head: HEAD, body: BODY })
  report('open stream', { records, seconds: (performance.now() - began) / 1_000, before, latencies })
}

function readAll(dir: string): void {
  const reader = JournalReader.open(dir)
  const before = cpu()
  const began = performance.now()
  let after = 0
  for (;;) {
    const last = reader.read(after, { records: 1_000, bytes: 4 << 20 }).at(-1)
    if (!last) break
    after = last.sequence
  }
  const perSecond = Math.round((after / (performance.now() - began)) * 1_000)
  console.log(
    `reading: ${perSecond} records/s (${after} records); CPU per record: process ${((cpu().allUs - before.allUs) / after).toFixed(2)} us`
  )
  reader.close()
}

const dir = mkdtempSync(join(tmpdir(), 'journal-bench-'))
const journal = await Journal.open({ dir })
await waitingWriters(journal, 100)
await openStream(journal)
readAll(dir)
await journal.close()
const began = performance.now()
await (await Journal.open({ dir })).close()
console.log(`open and close: ${(performance.now() - began).toFixed(0)} ms`)
rmSync(dir, { recursive: true })
