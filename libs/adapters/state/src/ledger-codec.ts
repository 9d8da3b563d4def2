import type { OutcomeDay, ReceiptDay, SeriesDay, Spans } from '#libs/pipeline'
import { parseSpans, spansText } from '#libs/pipeline'
import type { LedgerTables } from './ledger-tables.js'

/** Rows of the ledger's tables to and from what the pipeline counts with. */

export const receiptRow = (d: ReceiptDay): LedgerTables['ledger_receipts'] => ({
  station: d.station,
  day: d.day,
  messages_mqtt: d.messages.mqtt,
  messages_http: d.messages.http,
  messages_file: d.messages.file,
  received_mqtt: d.received.mqtt,
  received_http: d.received.http,
  received_file: d.received.file,
  refused_messages: d.refusedMessages,
  repeated_messages: d.repeatedMessages,
  repeated: d.repeated,
  refused: JSON.stringify(d.refused),
  came: spansText(d.came, d.day),
  clock: spansText(d.clock, d.day),
  refused_spans: JSON.stringify(Object.fromEntries(Object.entries(d.refusedSpans).map(([name, spans]) => [name, spansText(spans, d.day)])))
})

export const receiptDay = (row: LedgerTables['ledger_receipts']): ReceiptDay => ({
  station: row.station,
  day: row.day,
  messages: { mqtt: row.messages_mqtt, http: row.messages_http, file: row.messages_file },
  received: { mqtt: row.received_mqtt, http: row.received_http, file: row.received_file },
  refusedMessages: row.refused_messages,
  repeatedMessages: row.repeated_messages,
  repeated: row.repeated,
  refused: JSON.parse(row.refused) as ReceiptDay['refused'],
  came: parseSpans(row.came, row.day),
  clock: parseSpans(row.clock, row.day),
  refusedSpans: spansByName(row.refused_spans, row.day)
})

/** Without a prototype: the names come from outside. */
function spansByName(text: string, day: number): Record<string, Spans> {
  const named = Object.create(null) as Record<string, Spans>
  for (const [name, spans] of Object.entries(JSON.parse(text) as Record<string, string>)) named[name] = parseSpans(spans, day)
  return named
}

export const outcomeRow = ({ setAside, clockAhead, ...same }: OutcomeDay): LedgerTables['ledger_outcomes'] => ({
  ...same,
  set_aside: setAside,
  clock_ahead: clockAhead
})

export const outcomeDay = ({ set_aside, clock_ahead, ...same }: LedgerTables['ledger_outcomes']): OutcomeDay => ({
  ...same,
  setAside: set_aside,
  clockAhead: clock_ahead
})

export const seriesRow = ({ otherStatus, covered, ...same }: SeriesDay): LedgerTables['ledger_series'] => ({
  ...same,
  other_status: otherStatus,
  covered: spansText(covered, same.day)
})

export const seriesDay = ({ other_status, covered, ...same }: LedgerTables['ledger_series']): SeriesDay => ({
  ...same,
  otherStatus: other_status,
  covered: parseSpans(covered, same.day)
})
