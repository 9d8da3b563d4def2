import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Backends } from './backends.js'
import { leftover, runMain, say, withinLimit } from './leaving.js'
import { Ops } from './ops.js'
import { HELP, type Point, type ProofOptions, parseProofOptions } from './options.js'
import { DEVICES, OPS, SERVER } from './programs.js'
import { Proof } from './proof.js'
import { complaints, formatDetails, formatVerdict, together, type Verdict, verdictOf } from './verdict.js'

/** Proves one point and says what is wrong; true when nothing is. */
async function prove(options: ProofOptions, point: Point | null): Promise<{ verdict: Verdict; kept: boolean }> {
  const dir = await mkdtemp(join(tmpdir(), 'quantrac-kill-'))
  const { cycles, kill, longestMs, connections, window } = options
  const backends = await Backends.start(options)
  const environment = await backends.setUp((given, words) => new Ops(OPS, { ...given }).run(...words))
  const victim = kill === 'server' ? null : backends.victim(kill)
  const plan = {
    dir,
    devicesDir: DEVICES,
    server: SERVER,
    ops: OPS,
    environment,
    cycles,
    point,
    victim,
    longestMs,
    connections,
    window,
    say
  }
  const proof = new Proof(plan)
  const clear = leftover(() => {
    proof.killNow()
    rmSync(dir, { recursive: true, force: true, maxRetries: 3 })
  })
  try {
    const result = await proof.run()
    const wrong = complaints(result)
    say(formatDetails(result))
    for (const complaint of wrong) say(`WRONG: ${complaint}`)
    return { verdict: verdictOf(cycles, result), kept: wrong.length === 0 }
  } finally {
    await backends.dispose()
    clear()
  }
}

async function main(): Promise<void> {
  const options = parseProofOptions(process.argv.slice(2))
  if (options.help) {
    process.stdout.write(HELP)
    return
  }
  const proofs = await withinLimit(options.limitMs, () => proveAll(options))
  process.stdout.write(`${formatVerdict(together(proofs.map(({ verdict }) => verdict)))}\n`)
  process.exitCode = proofs.every(({ kept }) => kept) ? 0 : 1
}

async function proveAll(options: ProofOptions): Promise<{ verdict: Verdict; kept: boolean }[]> {
  const proofs: { verdict: Verdict; kept: boolean }[] = []
  for (const point of options.points) {
    say(point ? `killing itself at ${point}` : `killing ${options.kill} from outside at random moments`)
    const proof = await prove(options, point)
    if (options.points.length > 1) say(`${point}: ${formatVerdict(proof.verdict)}`)
    proofs.push(proof)
  }
  return proofs
}

await runMain(main)
