import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { aggregateScenes } from './aggregate-scenes.js'
import { BenchServer } from './bench-server.js'
import { forwardScenes } from './forward-scenes.js'
import { coldStart, freshness, heavyLoad, lightLoad, steadyLoad } from './scenes.js'
import { storeScenes } from './store-scenes.js'

/**
 * npm run bench: the started server under load from this process, on the same machine. Prints figures beside the goals that
 * they are held against, and fails on none of them: speed is looked at, not asserted. `npm run bench -- store` measures the
 * two time series stores side by side instead, `npm run bench -- aggregates` what hours, days and months cost, `npm run bench --
 * forward` what passing them on does. `--quality`: the stations have the quality tests of the example registry.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '20' },
    stations: { type: 'string', default: '100' },
    quality: { type: 'boolean', default: false }
  }
})
const seconds = bounded(values.seconds, 2, 120)
const stations = bounded(values.stations, 1, 500)

function bounded(text: string, least: number, most: number): number {
  const number = Number(text)
  if (Number.isFinite(number) && number >= least && number <= most) return number
  throw new RangeError(`not a number from ${least} to ${most}: ${text}`)
}

const ALONE: ReadonlyMap<string, typeof storeScenes> = new Map([
  ['store', storeScenes],
  ['aggregates', aggregateScenes],
  ['forward', forwardScenes]
])

async function main(): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'quantrac-bench-'))
  const alone = ALONE.get(positionals[0] ?? '')
  if (alone) return alone(dir, print).finally(() => rm(dir, { recursive: true, force: true }))
  const server = await BenchServer.prepare(dir, stations, values.quality)
  process.once('exit', () => server.killNow())
  try {
    await server.start()
    for (const scene of [lightLoad, freshness, steadyLoad, heavyLoad]) await scene(server, seconds, print)
    await coldStart(server, print)
  } finally {
    await server.end()
    await rm(dir, { recursive: true, force: true })
  }
}

function print(figure: string, value: string, goal = ''): void {
  console.log(`${figure.padEnd(58)} ${value.padStart(22)}${goal === '' ? '' : `   goal ${goal}`}`)
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
})
