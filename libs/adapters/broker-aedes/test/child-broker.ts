/** A broker in a process of its own, so that it can be killed: `fork(file, [dataDir])`; tells its port, then each message kept. */
import { argv } from 'node:process'
import { AedesBroker } from '../src/index.js'
import { SECRET } from './harness.js'

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }
const broker = await AedesBroker.listen({
  host: '127.0.0.1',
  ports: { tcp: 0 },
  dataDir: argv[2] as string,
  authenticate: (user, password) => (user && Buffer.from(password ?? []).toString() === SECRET ? { kind: 'station', code: user } : null),
  onPublish: async ({ topic, payload }) => {
    process.send?.({ kept: `${topic} ${Buffer.from(payload).toString()}` })
  },
  log: quiet,
  now: Date.now
})
process.on('message', ({ topic, payload, retain }: { topic: string; payload: string; retain: boolean }) => {
  void broker.publish(topic, payload, { qos: 1, retain }).then(() => process.send?.({ published: payload }))
})
process.send?.({ port: broker.ports.tcp })
