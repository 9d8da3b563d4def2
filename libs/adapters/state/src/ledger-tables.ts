/** Tables of the ledger. Days are named by their begin in UTC+7; spans are text, relative to the day's begin; maps are JSON. */
export interface LedgerTables {
  ledger_receipts: {
    station: string
    day: number
    messages_mqtt: number
    messages_http: number
    messages_file: number
    received_mqtt: number
    received_http: number
    received_file: number
    refused_messages: number
    repeated_messages: number
    repeated: number
    refused: string
    came: string
    clock: string
    refused_spans: string
  }
  ledger_outcomes: {
    station: string
    day: number
    stored: number
    replaced: number
    repeated: number
    conflicts: number
    set_aside: number
    late: number
    clock_ahead: number
  }
  ledger_series: {
    station: string
    parameter: string
    day: number
    stored: number
    calibrating: number
    fault: number
    other_status: number
    late: number
    newest: number
    covered: string
  }
  ledger_offline: { station: string; since: number; until: number | null }
  ledger_uptime: { since: number; until: number }
}

/** How a table is made, whatever the database. */
interface TableMaker {
  table(name: string, columns: Readonly<Record<string, 'text' | 'bigint' | 'bigint?'>>, key: readonly string[]): Promise<void>
  index(name: string, table: string, columns: readonly string[]): Promise<void>
}

const bigints = (...names: readonly string[]): Record<string, 'bigint'> => Object.fromEntries(names.map(name => [name, 'bigint' as const]))
const texts = (...names: readonly string[]): Record<string, 'text'> => Object.fromEntries(names.map(name => [name, 'text' as const]))

export async function ledgerTables(make: TableMaker): Promise<void> {
  const byRoad = ['messages', 'received'].flatMap(what => ['mqtt', 'http', 'file'].map(road => `${what}_${road}`))
  const receipts = bigints('day', ...byRoad, 'refused_messages', 'repeated_messages', 'repeated')
  const spans = texts('refused', 'came', 'clock', 'refused_spans')
  await make.table('ledger_receipts', { station: 'text', ...receipts, ...spans }, ['station', 'day'])
  await make.index('ledger_receipts_day', 'ledger_receipts', ['day'])
  const outcomes = bigints('day', 'stored', 'replaced', 'repeated', 'conflicts', 'set_aside', 'late', 'clock_ahead')
  await make.table('ledger_outcomes', { station: 'text', ...outcomes }, ['station', 'day'])
  const measured = bigints('day', 'stored', 'calibrating', 'fault', 'other_status', 'late', 'newest')
  const series = { ...texts('station', 'parameter'), ...measured, ...texts('covered') }
  await make.table('ledger_series', series, ['station', 'parameter', 'day'])
  await make.index('ledger_series_day', 'ledger_series', ['day'])
  await make.table('ledger_offline', { station: 'text', since: 'bigint', until: 'bigint?' }, ['station', 'since'])
  await make.table('ledger_uptime', bigints('since', 'until'), ['since'])
}
