/** The thread that owns the session file: it alone opens it, so no event loop waits for a disk. */
import { parentPort, workerData } from 'node:worker_threads'
import type { FromWriter, ToWriter, WriterSetup } from './schema.js'
import { describe, SessionFile } from './session-file.js'

const send = (message: FromWriter): void => parentPort?.postMessage(message)

function serve(file: SessionFile): void {
  send({ kind: 'opened', content: file.readAll() })
  parentPort?.on('message', (message: ToWriter) => {
    if (message.kind === 'write') return send(file.write(message.operations, message.durable))
    file.close()
    parentPort?.close()
  })
}

try {
  serve(SessionFile.open(workerData as WriterSetup))
} catch (error) {
  send({ kind: 'refused', ...describe(error) })
}
