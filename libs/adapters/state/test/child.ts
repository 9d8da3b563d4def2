// A process of its own, to be killed. `child.js lock PLACE`, `record PLACE`, `deliver PLACE POINT AFTER`; a place as JSON.
import { WebhookNotifier } from '#libs/adapters/notify-webhook'
import { alarmText } from '#libs/alarms'
import { OutboxDelivery } from '#libs/pipeline'
import { type FaultPoint, faultAt } from '#libs/platform'
import { serverLock } from '../src/data-dir.js'
import { stateLock } from '../src/server-lock.js'
import { State, type StatePlace } from '../src/state.js'
import { cleared, life, NOON, raised } from './fixtures.js'

const [task, json = '{}', point, after = '1'] = process.argv.slice(2)
const place = JSON.parse(json) as StatePlace
const say = (line: string): void => void process.stdout.write(`${line}\n`)

async function lock(): Promise<void> {
  if (place.url) await stateLock(place.url, () => process.exit(1))
  else serverLock(place.dataDir)
  say('locked')
  setInterval(() => undefined, 1_000)
}

/** Records one transition after the other, each a transaction, and says so when it is kept. */
async function record(): Promise<void> {
  const state = await State.open({ ...place, life })
  for (let sequence = (await state.alarmLog.cursor()) + 1; ; sequence += 1) {
    const id = `alarm-${(sequence + 1) >> 1}`
    await state.alarmLog.record([sequence % 2 === 1 ? raised(id) : cleared(id, NOON + sequence)], sequence)
    say(String(sequence))
  }
}

async function deliver(): Promise<void> {
  const state = await State.open({ ...place, life })
  const webhook = new WebhookNotifier({ secretOf: target => state.recipients.signingSecret(target), text: alarmText })
  const quiet = { info: () => {}, warn: () => {}, error: () => {} }
  const fault = faultAt(point ? { point: point as FaultPoint, after: Number(after) } : null)
  new OutboxDelivery({ outbox: state.outbox, notifiers: [webhook], clock: Date.now, random: () => 0, log: quiet, fault }).start()
}

if (task === 'lock') await lock()
else if (task === 'record') await record()
else await deliver()
