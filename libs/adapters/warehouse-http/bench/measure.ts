import { HOUR, MINUTE } from '#libs/model'
import type { Aggregate, WarehouseSink } from '#libs/pipeline'
import { digestDifferences, WarehouseDigests } from '#libs/pipeline'

const BEGIN = Date.UTC(2026, 0, 1)
const STATIONS = 250
const PARAMETERS = ['COD', 'TSS', 'pH', 'NH4'] as const
const never = new AbortController().signal

/** Hours of 1,000 series, one hour after the other; figures with all their digits, as means have them. */
function aggregate(n: number, revision: number): Aggregate {
  const series = n % (STATIONS * PARAMETERS.length)
  const end = BEGIN + (Math.floor(n / (STATIONS * PARAMETERS.length)) + 1) * HOUR
  const mean = 40 + Math.sin(n + revision) * 20
  return {
    station: `AG-${String(Math.floor(series / PARAMETERS.length)).padStart(4, '0')}`,
    parameter: PARAMETERS[series % PARAMETERS.length] ?? 'COD',
    unit: 'mg/L',
    period: 'hour',
    start: end - HOUR,
    end,
    received: 12,
    count: 11,
    expected: 12,
    completeness: 11 / 12,
    validShare: 11 / 12,
    sufficient: true,
    mean,
    min: { value: mean - 3.25, at: end - 35 * MINUTE },
    max: { value: mean + 4.125, at: end - 5 * MINUTE },
    sum: null,
    p95: mean + 3.7,
    stddev: Math.abs(mean) / 17,
    worstFlag: 3,
    exceedanceMinutes: 5,
    revision,
    algorithm: 1
  }
}

export async function forward(sink: WarehouseSink, count: number, revision: number): Promise<void> {
  const started = performance.now()
  const cpu = process.cpuUsage()
  const outcomes = new Map<string, number>()
  for (let from = 0; from < count; from += sink.limit) {
    const items = Array.from({ length: Math.min(sink.limit, count - from) }, (_, n) => aggregate(from + n, revision))
    const answer = await sink.send(items, never)
    if (answer.outcome === 'retry') throw new Error(answer.reason)
    for (const { outcome } of answer.items) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  }
  const seconds = (performance.now() - started) / 1_000
  const { user, system } = process.cpuUsage(cpu)
  const said = [...outcomes].map(([outcome, n]) => `${n} ${outcome}`).join(', ')
  const rss = Math.round(process.memoryUsage().rss / 2 ** 20)
  print(
    `revision ${revision}`,
    `${Math.round(count / seconds)} items/s, ${((user + system) / count).toFixed(1)} us CPU an item, ${said}, rss ${rss} MiB`
  )
}

export async function compare(sink: WarehouseSink, count: number): Promise<void> {
  const ours = new WarehouseDigests()
  const started = performance.now()
  for (let n = 0; n < count; n += 1) ours.add(aggregate(n, 1))
  const middle = performance.now()
  const theirs = await sink.digest({ period: 'hour', from: BEGIN, to: BEGIN + count * HOUR }, never)
  const differing = digestDifferences(ours.list(), theirs).length
  const [here, there] = [middle - started, performance.now() - middle].map(Math.round)
  print('digests', `${theirs.length} of ${count} rows: ours ${here} ms, theirs ${there} ms, ${differing} differ`)
}

const print = (name: string, text: string): void => console.log(`${name.padEnd(12)} ${text}`)
