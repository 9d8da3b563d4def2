import type { RefusalReason } from './errors.js'

export interface BrokerStats {
  /** Open sockets, and those of them that have logged in. */
  readonly connections: number
  readonly clients: number
  /** Persistent sessions, connected or not. */
  readonly sessions: number
  /** Messages of QoS 1 and 2 that persistent sessions have yet to acknowledge. */
  readonly queued: { readonly messages: number; readonly bytes: number }
  readonly retained: { readonly messages: number; readonly bytes: number }
  /** PUBLISHes from stations since the start, repeats included. */
  readonly received: { readonly qos0: number; readonly qos1: number; readonly qos2: number }
  /** Given to `onPublish` and not settled yet. */
  readonly pending: number
  /** What was refused or cut off since the start, by reason. */
  readonly refused: Readonly<Record<RefusalReason, number>>
}
