/** One row of a Flux answer: its cells, to be read by the name of their column. */
export type OnRow = (cells: readonly string[], columns: Columns) => void

/** Where a column stands in the rows that follow. */
export type Columns = Readonly<Record<string, number>>

/** A query that failed after its answer had begun says so in a table of its own. */
export class QueryBroken extends Error {
  override readonly name = 'QueryBroken'
}

/**
 * Reads the CSV of a Flux answer (RFC 4180, header line after each empty line). The client's own reader makes an object of
 * closures for each table and a string for each line; this one costs a quarter for the many small rows of a history.
 */
export function readCsv(text: string, onRow: OnRow): void {
  const ends = new LineEnds(text)
  let columns: Columns | null = null
  for (let start = 0; start < text.length; ) {
    const end = ends.after(start)
    const stop = end > start && text.charCodeAt(end - 1) === CR ? end - 1 : end
    if (stop === start) columns = null
    else {
      const cells = split(text, start, stop)
      if (!columns) columns = header(cells)
      else if ('error' in columns) throw new QueryBroken(cells[columns['error'] ?? 0])
      else onRow(cells, columns)
    }
    start = end + 1
  }
}

const CR = 13
const QUOTE = '"'

function header(cells: readonly string[]): Columns {
  const columns: Record<string, number> = {}
  for (const [index, name] of cells.entries()) columns[name] = index
  return columns
}

/** Finds the ends of lines: line feeds that are not within quotes. Knows the next quote, since most answers have none at all. */
class LineEnds {
  readonly #text: string
  #quote = -1

  constructor(text: string) {
    this.#text = text
    this.#quote = this.#quoteFrom(0)
  }

  after(start: number): number {
    let end = this.#lineFeedFrom(start)
    while (this.#quote < end) {
      const close = this.#quoteFrom(this.#quote + 1) // two in a row close and open again
      if (close > end) end = this.#lineFeedFrom(close)
      this.#quote = this.#quoteFrom(close + 1)
    }
    return end
  }

  #quoteFrom(at: number): number {
    const found = this.#text.indexOf(QUOTE, at)
    return found < 0 ? this.#text.length : found
  }

  #lineFeedFrom(at: number): number {
    const found = this.#text.indexOf('\n', at)
    return found < 0 ? this.#text.length : found
  }
}

function split(text: string, start: number, stop: number): string[] {
  const cells: string[] = []
  let from = start
  while (from <= stop) {
    if (text[from] === QUOTE) {
      const close = closingQuote(text, from + 1)
      cells.push(text.slice(from + 1, close).replaceAll('""', QUOTE))
      from = close + 2
    } else {
      const comma = text.indexOf(',', from)
      const end = comma < 0 || comma > stop ? stop : comma
      cells.push(text.slice(from, end))
      from = end + 1
    }
  }
  return cells
}

function closingQuote(text: string, from: number): number {
  let at = text.indexOf(QUOTE, from)
  while (at >= 0 && text[at + 1] === QUOTE) at = text.indexOf(QUOTE, at + 2)
  return at < 0 ? text.length : at
}
