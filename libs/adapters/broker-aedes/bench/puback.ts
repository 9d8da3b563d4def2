/**
 * How many QoS 1 messages a second the broker alone acknowledges, and what CPU each one costs its process.
 *
 *   npm run -s build && node dist/libs/adapters/broker-aedes/bench/puback.js [stock|quantrac] [seconds] [connections] [window]
 *
 * The broker runs in a child process whose `onPublish` resolves at once; this process holds the senders: raw sockets, each
 * with a window of unacknowledged messages of 200 bytes. `stock` is Aedes as it comes, with the same hook.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { argv, execArgv, memoryUsage } from 'node:process'
import { fileURLToPath } from 'node:url'
import { openSender, type Sender } from './sender.js'

type Kind = 'stock' | 'quantrac'
interface Usage {
  readonly cpuMicros: number
  readonly rssBytes: number
}

async function serveStock(): Promise<number> {
  const { Aedes } = await import('aedes')
  const broker = await Aedes.createBroker({
    authorizePublish: (_client, _packet, done) => {
      Promise.resolve().then(() => done(null), done)
    }
  })
  const server = createServer(broker.handle)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as { port: number }).port
}

async function serveQuantrac(): Promise<number> {
  const { AedesBroker } = await import('../src/index.js')
  const { mkdtemp } = await import('node:fs/promises')
  const { tmpdir } = await import('node:os')
  const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const broker = await AedesBroker.listen({
    host: '127.0.0.1',
    ports: { tcp: 0 },
    dataDir: await mkdtemp(`${tmpdir()}/quantrac-bench-`),
    authenticate: user => (user === undefined ? null : { kind: 'station', code: user }),
    onPublish: () => Promise.resolve(),
    log: quiet,
    now: Date.now
  })
  return broker.ports.tcp ?? 0
}

async function serve(kind: Kind): Promise<void> {
  const port = await (kind === 'stock' ? serveStock() : serveQuantrac())
  process.on('message', ask => {
    if (ask === 'stop') process.exit(0)
    const { user, system } = process.cpuUsage()
    process.send?.({ cpuMicros: user + system, rssBytes: memoryUsage().rss } satisfies Usage)
  })
  process.send?.({ port })
}

interface Load {
  readonly seconds: number
  readonly connections: number
  readonly window: number
}

async function measure(kind: Kind, load: Load): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), ['serve', kind], { execArgv: profiling(kind) })
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  const ask = async (): Promise<Usage> => {
    child.send('usage')
    const [usage] = (await once(child, 'message')) as [Usage]
    return usage
  }
  const senders = await Promise.all(
    Array.from({ length: load.connections }, (_, n) => openSender({ port, window: load.window, station: `AG-${1000 + n}` }))
  )
  for (const sender of senders) sender.start()
  await pause(1_000) // warm-up: the compiler has seen the path
  const before = await ask()
  const acknowledged = total(senders)
  const started = process.hrtime.bigint()
  await pause(load.seconds * 1_000)
  const after = await ask()
  const seconds = Number(process.hrtime.bigint() - started) / 1e9
  const messages = total(senders) - acknowledged
  print(kind, { messages, seconds, cpuMicros: after.cpuMicros - before.cpuMicros, rssBytes: after.rssBytes })
  for (const sender of senders) sender.stop()
  child.send('stop')
  await once(child, 'exit')
}

function print(kind: Kind, run: Usage & { messages: number; seconds: number }): void {
  const rate = Math.round(run.messages / run.seconds)
  const micros = (run.cpuMicros / run.messages).toFixed(1)
  console.log(`${kind.padEnd(8)} ${String(rate).padStart(7)} msg/s  ${micros} us CPU/msg  rss ${Math.round(run.rssBytes / 2 ** 20)} MiB`)
}

const total = (senders: readonly Sender[]): number => senders.reduce((sum, sender) => sum + sender.acknowledged(), 0)
const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
const profiling = (kind: Kind): string[] => [...execArgv, ...(process.env['PROFILE'] === kind ? ['--cpu-prof'] : [])]

if (argv[2] === 'serve') {
  await serve(argv[3] as Kind)
} else {
  const [kind, seconds = '5', connections = '100', window = '10'] = argv.slice(2)
  const load: Load = { seconds: Number(seconds), connections: Number(connections), window: Number(window) }
  for (const each of ['stock', 'quantrac'] as const) if (kind === undefined || kind === each) await measure(each, load)
}
