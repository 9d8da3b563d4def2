/** True for a caller that would rather have CSV than JSON. */
export const wantsCsv = (accept: string | undefined): boolean => /\btext\/csv\b/.test(accept ?? '')

type Field = string | number | boolean | null

/** RFC 4180 text: a header line, CRLF ends. The fields must hold no comma, quote or formula: codes, numbers, instants. */
export const csvText = (columns: readonly string[], lines: readonly (readonly Field[])[]): string =>
  [columns.join(','), ...lines.map(fields => fields.map(field => String(field ?? '')).join(',')), ''].join('\r\n')
