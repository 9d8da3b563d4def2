import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Backends } from './backends.js'
import { openFarSide } from './forwarding/far-side.js'
import { type ForwardOptions, HELP, parseForwardOptions, type SinkName } from './forwarding/options.js'
import { ForwardProof } from './forwarding/proof.js'
import { agree, formatDifferences } from './forwarding/rows.js'
import { forwardComplaints, forwardDetails } from './forwarding/verdict.js'
import { leftover, runMain, say, withinLimit } from './leaving.js'
import { Ops } from './ops.js'
import { DEVICES, OPS, SERVER } from './programs.js'

/** Proves one sink and says what is wrong; true when nothing is. */
async function prove(options: ForwardOptions, sink: SinkName): Promise<boolean> {
  const dir = await mkdtemp(join(tmpdir(), 'quantrac-forward-'))
  const removed = leftover(() => rmSync(dir, { recursive: true, force: true, maxRetries: 3 }))
  const backends = await Backends.start(options)
  const environment = await backends.setUp((given, words) => new Ops(OPS, { ...given }).run(...words))
  const warehouse = await openFarSide(sink, join(dir, 'warehouse'))
  const { seed, stations, disturbedMs, settleMs } = options
  say(`sink ${sink}, seed ${seed}: server and warehouse are disturbed for ${Math.round(disturbedMs / 1_000)} s`)
  const programs = { devicesDir: DEVICES, server: SERVER, ops: OPS }
  const proof = new ForwardProof({ dir, ...programs, environment, warehouse, stations, seed, disturbedMs, settleMs, say })
  const killed = leftover(() => proof.killNow())
  try {
    const result = await proof.run()
    const wrong = forwardComplaints(result)
    for (const line of forwardDetails(result)) say(line)
    for (const complaint of wrong) say(`WRONG: ${complaint}`)
    process.stdout.write(`${formatDifferences(result.differences)}\n`)
    return wrong.length === 0 && agree(result.differences)
  } finally {
    killed()
    await warehouse.dispose()
    await backends.dispose()
    removed()
  }
}

async function proveAll(options: ForwardOptions): Promise<boolean> {
  let kept = true
  for (const sink of options.sinks) kept = (await prove(options, sink)) && kept
  return kept
}

async function main(): Promise<void> {
  const options = parseForwardOptions(process.argv.slice(2))
  if (options.help) process.stdout.write(HELP)
  else process.exitCode = (await withinLimit(options.limitMs, () => proveAll(options))) ? 0 : 1
}

await runMain(main)
