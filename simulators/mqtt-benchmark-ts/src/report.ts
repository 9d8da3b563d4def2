import type { Quantiles } from './histogram.js'
import type { LoadResult } from './load.js'

const ms = (value: number): string => value.toFixed(value < 10 ? 2 : 1)
const whole = (value: number): string => Math.round(value).toLocaleString('en-US')
const line = (label: string, value: string): string => `${label.padEnd(22)}${value}`

const quantiles = (q: Quantiles): string => `p50 ${ms(q.p50)}  p90 ${ms(q.p90)}  p99 ${ms(q.p99)}  p99.9 ${ms(q.p999)}  max ${ms(q.max)}`

/** The result as a table for people. */
export function formatResult(result: LoadResult): string {
  const { total, pace } = result
  const loop = 'rate' in pace ? `${whole(pace.rate)} messages/s, open loop` : `window ${pace.window}`
  const rows = [
    line(
      'load',
      `${result.connections} connections, QoS ${result.qos}, ${loop}, ${result.frameBytes} bytes a PUBLISH, ${result.seconds.toFixed(1)} s`
    ),
    line('sent', `${whole(result.sentPerSecond)} messages/s`),
    line('acknowledged', result.qos === 0 ? 'QoS 0 has no acknowledgement' : `${whole(result.acknowledgedPerSecond)} messages/s`),
    line('acknowledged in ms', result.qos === 0 ? '-' : quantiles(result.ackMs)),
    line('client CPU', `${result.clientCpuUsPerMessage.toFixed(1)} us a message`),
    line('whole run', `sent ${total.sent}  acknowledged ${total.acknowledged}  lost ${total.lost}  surplus ${total.surplus}`),
    line('connections', `reconnects ${total.reconnects}  sessions lost ${total.sessionsLost}`)
  ]
  if ('rate' in pace) rows.splice(4, 0, line('client late in ms', quantiles(result.lateMs)))
  if (result.lastDisconnect !== null) rows.push(line('last disconnection', result.lastDisconnect))
  return `${rows.join('\n')}\n`
}
