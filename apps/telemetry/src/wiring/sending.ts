import type { AedesBroker } from '#libs/adapters/broker-aedes'
import { WebhookNotifier } from '#libs/adapters/notify-webhook'
import type { State, StatePlace } from '#libs/adapters/state'
import type { AlarmNames, AlarmTransition, Language } from '#libs/alarms'
import { alarmText } from '#libs/alarms'
import type { Notifier, Standards } from '#libs/pipeline'
import { OutboxDelivery } from '#libs/pipeline'
import type { Closers, Config, Logger } from '#libs/platform'
import { faultAt } from '#libs/platform'
import { ForwarderThread } from './forwarder-thread.js'
import { MqttNotifier } from './mqtt-notifier.js'
import type { Stations } from './stations.js'

interface Sources {
  readonly config: Config
  readonly place: StatePlace
  readonly state: State
  readonly broker: AedesBroker
  readonly registry: { readonly stations: Stations; readonly standards: Pick<Standards, 'rules'> }
  readonly log: Logger
  readonly closers: Closers
  readonly onDeath: (error: Error) => void
}

/** What leaves the server by itself: messages about alarms, and aggregates where a warehouse is set. */
export async function startSending(sources: Sources): Promise<{ outbox: OutboxDelivery; forwarder: ForwarderThread | null }> {
  const { config, place, closers, log, onDeath } = sources
  const outbox = await startOutbox(sources)
  closers.defer('outbox', () => outbox.stop())
  const forwarder = await ForwarderThread.start(config, place, { log, onDeath })
  if (forwarder) closers.add('forwarder', forwarder)
  return { outbox, forwarder }
}

async function startOutbox({ config, state, broker, registry, log }: Sources): Promise<OutboxDelivery> {
  const text = (transition: AlarmTransition, language: Language) =>
    alarmText(transition, language, namesFor(transition, language, registry))
  const notifiers: Notifier[] = [
    new MqttNotifier(broker),
    new WebhookNotifier({ secretOf: target => state.recipients.signingSecret(target), text })
  ]
  if (config.smtp) {
    const { EmailNotifier } = await import('#libs/adapters/notify-email')
    notifiers.push(
      new EmailNotifier({
        smtp: config.smtp,
        text,
        languageOf: async target => (await state.recipients.find('email', target))?.language ?? null
      })
    )
  }
  const fault = faultAt(config.fault)
  const outbox = new OutboxDelivery({ outbox: state.outbox, notifiers, clock: Date.now, random: Math.random, log, fault })
  outbox.start()
  return outbox
}

function namesFor({ alarm }: AlarmTransition, language: Language, { stations, standards }: Sources['registry']): AlarmNames {
  const station = stations.byCode.get(alarm.station)
  const severity = standards.rules.limitsOf(alarm.station, alarm.parameter ?? '').find(limit => limit.rule === alarm.rule)?.severity
  const name = language === 'en' ? (station?.nameEn ?? station?.name) : station?.name
  return { ...(station && name ? { station: name, zone: station.zone } : {}), ...(severity ? { severity } : {}) }
}
