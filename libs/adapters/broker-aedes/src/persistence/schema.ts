/** Version of the file's layout (`PRAGMA user_version`). */
export const SCHEMA_VERSION = 1

/** `head` columns hold a packet's properties but the payload, as JSON. */
export const SCHEMA = `
CREATE TABLE session (id TEXT PRIMARY KEY, online INTEGER NOT NULL, last_seen INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE subscription (session TEXT NOT NULL, topic TEXT NOT NULL, record TEXT NOT NULL, PRIMARY KEY (session, topic)) WITHOUT ROWID;
CREATE TABLE queue (seq INTEGER PRIMARY KEY, session TEXT NOT NULL, message_id INTEGER, released INTEGER NOT NULL, head TEXT NOT NULL, payload BLOB NOT NULL);
CREATE INDEX queue_session ON queue (session);
CREATE TABLE incoming (session TEXT NOT NULL, message_id INTEGER NOT NULL, head TEXT NOT NULL, payload BLOB NOT NULL, PRIMARY KEY (session, message_id)) WITHOUT ROWID;
CREATE TABLE retained (topic TEXT PRIMARY KEY, head TEXT NOT NULL, payload BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE will (session TEXT PRIMARY KEY, head TEXT NOT NULL, payload BLOB NOT NULL) WITHOUT ROWID;
PRAGMA user_version = ${SCHEMA_VERSION};
`

/** Every change that can be made to the file. */
export const STATEMENTS = {
  putSession: 'INSERT OR REPLACE INTO session (id, online, last_seen) VALUES (?, ?, ?)',
  dropSession: 'DELETE FROM session WHERE id = ?',
  putSubscription: 'INSERT OR REPLACE INTO subscription (session, topic, record) VALUES (?, ?, ?)',
  dropSubscription: 'DELETE FROM subscription WHERE session = ? AND topic = ?',
  dropSubscriptions: 'DELETE FROM subscription WHERE session = ?',
  enqueue: 'INSERT INTO queue (seq, session, released, head, payload) VALUES (?, ?, 0, ?, ?)',
  setMessageId: 'UPDATE queue SET message_id = ? WHERE seq = ?',
  release: "UPDATE queue SET released = 1, payload = '' WHERE seq = ?",
  dequeue: 'DELETE FROM queue WHERE seq = ?',
  dropQueue: 'DELETE FROM queue WHERE session = ?',
  putIncoming: 'INSERT OR REPLACE INTO incoming (session, message_id, head, payload) VALUES (?, ?, ?, ?)',
  dropIncoming: 'DELETE FROM incoming WHERE session = ? AND message_id = ?',
  dropAllIncoming: 'DELETE FROM incoming WHERE session = ?',
  putRetained: 'INSERT OR REPLACE INTO retained (topic, head, payload) VALUES (?, ?, ?)',
  dropRetained: 'DELETE FROM retained WHERE topic = ?',
  putWill: 'INSERT OR REPLACE INTO will (session, head, payload) VALUES (?, ?, ?)',
  dropWill: 'DELETE FROM will WHERE session = ?'
} as const
export type StatementName = keyof typeof STATEMENTS

export type SqlValue = string | number | null | Uint8Array
/** One change: the statement's name and its parameters. */
export type Operation = readonly [StatementName, ...SqlValue[]]

export interface SessionRow {
  readonly id: string
  readonly online: number
  readonly last_seen: number
}
export interface SubscriptionRow {
  readonly session: string
  readonly topic: string
  readonly record: string
}
export interface PacketRow {
  readonly head: string
  readonly payload: Uint8Array | string
}
export interface QueueRow extends PacketRow {
  readonly seq: number
  readonly session: string
  readonly message_id: number | null
  readonly released: number
}
export interface IncomingRow extends PacketRow {
  readonly session: string
  readonly message_id: number
}
export interface WillRow extends PacketRow {
  readonly session: string
}

/** Everything in the file, as read when it is opened. */
export interface FileContent {
  readonly sessions: SessionRow[]
  readonly subscriptions: SubscriptionRow[]
  readonly queue: QueueRow[]
  readonly incoming: IncomingRow[]
  readonly retained: PacketRow[]
  readonly wills: WillRow[]
}

export const QUERIES: Readonly<Record<keyof FileContent, string>> = {
  sessions: 'SELECT id, online, last_seen FROM session',
  subscriptions: 'SELECT session, topic, record FROM subscription',
  queue: 'SELECT seq, session, message_id, released, head, payload FROM queue ORDER BY seq',
  incoming: 'SELECT session, message_id, head, payload FROM incoming',
  retained: 'SELECT head, payload FROM retained',
  wills: 'SELECT session, head, payload FROM will'
}

/** What passes between the threads. */
export interface WriterSetup {
  readonly file: string
  readonly maxBytes: number
}
export type ToWriter =
  | { readonly kind: 'write'; readonly operations: readonly Operation[]; readonly durable: boolean }
  | { readonly kind: 'close' }
export type FromWriter =
  | { readonly kind: 'opened'; readonly content: FileContent }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  /** Places of the operations that failed, and why the first did. */
  | { readonly kind: 'written'; readonly failed: readonly number[]; readonly code?: string; readonly message?: string }
