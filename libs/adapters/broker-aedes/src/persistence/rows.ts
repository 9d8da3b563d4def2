import type { StoredPublish, Will } from './packets.js'
import type { Retained, RetainedMessages } from './retained.js'
import type { FileContent, PacketRow } from './schema.js'
import type { Sessions, SubscriptionRecord } from './sessions.js'

/** A packet's properties but the payload. */
export function headOf(packet: object): string {
  return JSON.stringify({ ...packet, payload: undefined })
}

function packetOf(row: PacketRow): StoredPublish & Will {
  const payload = typeof row.payload === 'string' ? row.payload : Buffer.from(row.payload)
  return { ...(JSON.parse(row.head) as Omit<StoredPublish & Will, 'payload'>), payload }
}

export interface Mirror {
  readonly sessions: Sessions
  readonly retained: RetainedMessages<Retained>
  readonly wills: Map<string, Will>
}

/** Fills the memory from the file. Returns the first free place in the queue. */
export function fillFrom(content: FileContent, { sessions, retained, wills }: Mirror): number {
  const sessionOf = (id: string) => sessions.get(id) ?? sessions.create(id)
  for (const row of content.sessions) {
    const session = sessions.create(row.id)
    // A session that was connected when the server stopped has been in use until now.
    if (row.online === 0) session.lastSeen = row.last_seen
  }
  for (const row of content.subscriptions) {
    sessions.subscribe(sessionOf(row.session), row.topic, JSON.parse(row.record) as SubscriptionRecord)
  }
  for (const row of content.queue) {
    const packet: StoredPublish = { ...packetOf(row), messageId: row.message_id ?? undefined }
    sessionOf(row.session).queue.add(row.seq, packet, row.released === 1)
  }
  for (const row of content.incoming) {
    sessionOf(row.session).incoming.set(row.message_id, packetOf(row))
  }
  for (const row of content.retained) retained.set(packetOf(row))
  for (const row of content.wills) wills.set(row.session, packetOf(row))
  return (content.queue.at(-1)?.seq ?? 0) + 1
}
