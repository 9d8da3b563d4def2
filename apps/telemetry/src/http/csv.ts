/** RFC 4180 text: a header line, CRLF ends, decimal points; a field is quoted where it must be (the symbol `PM2,5` has a comma). */
export function csvText<C extends string>(columns: readonly C[], rows: readonly Readonly<Record<C, unknown>>[]): string {
  const lines = rows.map(row => columns.map(column => field(row[column])).join(','))
  return [columns.join(','), ...lines, ''].join('\r\n')
}

function field(value: unknown): string {
  const text = Array.isArray(value) ? value.join(' ') : String(value ?? '')
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
