import type { AedesBroker } from '#libs/adapters/broker-aedes'
import { codeOf, formatInstant, messageOf } from '#libs/model'
import type { Delivery, Notifier, OutboxMessage } from '#libs/pipeline'
import { alarmView } from '../http/views.js'

/**
 * Alarm transitions on `quantrac/v1/alarms/{station}`, QoS 1: delivered means that they are queued on disk for every
 * persistent subscriber.
 */
export class MqttNotifier implements Notifier {
  readonly channel = 'mqtt'
  readonly #broker: Pick<AedesBroker, 'publish'>

  constructor(broker: Pick<AedesBroker, 'publish'>) {
    this.#broker = broker
  }

  async deliver({ key, target, transition }: OutboxMessage): Promise<Delivery> {
    const { alarm, kind, at } = transition
    const payload = JSON.stringify({ id: key, type: `alarm.${kind}`, at: formatInstant(at), alarm: alarmView(alarm) })
    try {
      await this.#broker.publish(target, Buffer.from(payload), { qos: 1, retain: false })
      return { outcome: 'delivered' }
    } catch (error) {
      return { outcome: 'retry', reason: `${codeOf(error)}: ${messageOf(error)}` }
    }
  }
}
