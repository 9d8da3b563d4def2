import type { Inbound as BrokerMessage } from '#libs/adapters/broker-aedes'
import type { Station } from '#libs/model'
import type { IngestPorts } from '#libs/pipeline'
import { ingest } from '#libs/pipeline'
import { CodedError } from '#libs/platform'
import { parseTopic } from '#libs/wire'
import type { Metrics } from './metrics.js'

/** From the broker to the journal: what a station publishes is acknowledged when this resolves. */
export function mqttRoad(
  stations: ReadonlyMap<string, Station>,
  ports: IngestPorts,
  metrics: Metrics
): (message: BrokerMessage) => Promise<void> {
  return async message => {
    const arrived = performance.now()
    const topic = parseTopic(message.topic)
    const station = topic && stations.get(topic.station)
    // The broker let only a known station's own topics through, so this is a mistake of ours.
    if (!station || topic.kind === 'alarms' || topic.kind === 'commands')
      throw new CodedError('QT_UNEXPECTED', `no station for topic ${message.topic}`)
    const receipt = await ingest(
      {
        station,
        subject: topic.kind,
        road: 'mqtt',
        qos: message.qos,
        mayRepeat: message.duplicate,
        payload: message.payload
      },
      ports
    )
    metrics.received(station.code, 'mqtt', receipt)
    metrics.acknowledged((performance.now() - arrived) / 1_000)
  }
}
