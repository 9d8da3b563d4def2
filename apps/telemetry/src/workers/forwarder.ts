import { parentPort, workerData } from 'node:worker_threads'
import { codeOf, messageOf } from '#libs/model'
import { Forwarder } from '#libs/pipeline'
import { Closers, openLogger } from '#libs/platform'
import { openState } from '../wiring/open-state.js'
import { openWarehouse, warehouseTarget } from '../wiring/open-warehouse.js'
import type { ThreadLife } from '../wiring/worker-thread.js'
import type { ForwarderSetup, FromForwarder, ToForwarder } from './protocol.js'

/**
 * The forwarder's thread: aggregates to the provincial warehouse. Checksums, packing and comparisons of months take whole
 * milliseconds at a time; here they delay neither an acknowledgement nor an alarm.
 */
const { state: place, warehouse, log: options } = workerData as ForwarderSetup
const port = parentPort
const REPORT_MS = 500

const post = (message: FromForwarder | ThreadLife): void => port?.postMessage(message)

async function main(): Promise<void> {
  const closers = new Closers()
  const log = openLogger(options, 'forwarder')
  const state = closers.add('state', await openState(place))
  const sink = await openWarehouse(warehouse, closers, log)
  const forwarder = closers.add(
    'forwarder',
    new Forwarder({
      book: state.forwarding.book(warehouseTarget(warehouse)),
      sink,
      clock: Date.now,
      random: Math.random,
      log,
      maxPerSecond: warehouse.maxPerSecond,
      daily: { atMinute: warehouse.compareAtMinute }
    })
  )
  forwarder.start()
  const reporting = setInterval(() => post({ type: 'forwarded', report: forwarder.report }), REPORT_MS)
  // The only thing that it is told is to stop.
  port?.once('message', (_: ToForwarder) => void stop())
  post({ type: 'started' })

  async function stop(): Promise<void> {
    clearInterval(reporting)
    for (const failure of await closers.close()) log.error({ code: failure.code }, `closing ${failure.name}: ${failure.message}`)
    port?.close()
  }
}

main().catch((error: unknown) => {
  post({ type: 'failed', code: codeOf(error), message: messageOf(error) })
  port?.close()
})
