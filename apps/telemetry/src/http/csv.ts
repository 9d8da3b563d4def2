import type { FastifyReply } from 'fastify'

type Field = string | number | boolean | null | undefined | readonly string[]

/** True for a caller that would rather have CSV than JSON. */
export const wantsCsv = (accept: string | undefined): boolean => /\btext\/csv\b/.test(accept ?? '')

/** RFC 4180 text: a header line, CRLF ends, decimal points; a field is quoted where it must be (the symbol `PM2,5` has a comma). */
export const csvLines = (columns: readonly string[], lines: readonly (readonly Field[])[]): string =>
  [columns.map(written).join(','), ...lines.map(fields => fields.map(written).join(',')), ''].join('\r\n')

/** The same of objects, a column for each name. */
export const csvText = <C extends string>(columns: readonly C[], rows: readonly Readonly<Partial<Record<C, Field>>>[]): string =>
  csvLines(
    columns,
    rows.map(row => columns.map(column => row[column]))
  )

/** Answers with it. The cursor of the next page travels in a header, since CSV has no place for it. */
export function asCsv(reply: FastifyReply, text: string, next: string | null): string {
  if (next) reply.header('x-next', next)
  reply.header('content-type', 'text/csv; charset=utf-8; header=present')
  return text
}

function written(field: Field): string {
  const text = typeof field === 'object' && field !== null ? field.join(' ') : String(field ?? '')
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
