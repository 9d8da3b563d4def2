import { rmSync } from 'node:fs'
import { mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ProofError } from './errors.js'
import { openFarSide } from './forwarding/far-side.js'
import { type ForwardOptions, HELP, parseForwardOptions, type SinkName } from './forwarding/options.js'
import { ForwardProof } from './forwarding/proof.js'
import { seeded } from './forwarding/random.js'
import { formatAudit, isClean } from './forwarding/rows.js'
import { DEVICES, leftovers, OPS, SERVER, say } from './programs.js'

/** Proves one sink and says what is wrong; true when nothing is. */
async function prove({ disturbedMs, stations, seed }: ForwardOptions, sink: SinkName): Promise<boolean> {
  const dir = await mkdtemp(join(tmpdir(), 'quantrac-forward-'))
  await mkdir(join(dir, 'warehouse'))
  const far = await openFarSide(sink, join(dir, 'warehouse'))
  say(`sink ${sink}, seed ${seed}: server and warehouse are disturbed for ${Math.round(disturbedMs / 1_000)} s`)
  const plan = { dir, devicesDir: DEVICES, server: SERVER, ops: OPS, far, stations, disturbedMs, random: seeded(seed), say }
  const proof = new ForwardProof(plan)
  const clear = (): void => {
    proof.killNow()
    rmSync(dir, { recursive: true, force: true, maxRetries: 3 })
  }
  leftovers.add(clear)
  try {
    const result = await proof.run()
    const { acknowledged, serverKills, farKills, highestRevision, complaints } = result
    say(`${acknowledged} messages, server killed ${serverKills} times, warehouse ${farKills} times, highest revision ${highestRevision}`)
    for (const complaint of complaints) say(`WRONG: ${complaint}`)
    process.stdout.write(`${formatAudit(result)}\n`)
    return isClean(result) && complaints.length === 0
  } finally {
    await far.dispose()
    clear()
    leftovers.delete(clear)
  }
}

async function main(): Promise<void> {
  const options = parseForwardOptions(process.argv.slice(2))
  if (options.help) {
    process.stdout.write(HELP)
    return
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  let clean = true
  for (const sink of options.sinks) clean = (await prove(options, sink)) && clean
  process.exitCode = clean ? 0 : 1
}

try {
  await main()
} catch (error) {
  say(error instanceof ProofError ? `${error.code}: ${error.message}` : String(error instanceof Error ? error.stack : error))
  process.exit(1)
}
