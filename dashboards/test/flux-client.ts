/** A Flux answer as Grafana's data source reads it: annotated CSV in one or more parts, each with columns of its own. */
export interface Answer {
  readonly columns: readonly Column[]
  readonly rows: readonly Readonly<Record<string, string>>[]
}

interface Column {
  readonly name: string
  readonly type: string
  /** Part of the group key: Grafana makes a label of it. */
  readonly grouped: boolean
}

/** An InfluxDB server as a test speaks to it: plain HTTP, as Grafana does. */
export class FluxClient {
  readonly #url: string
  readonly #org: string
  readonly #token: string

  constructor({ url, org, token }: { url: string; org: string; token: string }) {
    this.#url = url
    this.#org = org
    this.#token = token
  }

  /** @throws Error with InfluxDB's own words. */
  async query(flux: string): Promise<Answer[]> {
    const body = { query: flux, dialect: { annotations: ['group', 'datatype'], header: true } }
    const response = await fetch(`${this.#url}/api/v2/query?org=${encodeURIComponent(this.#org)}`, {
      method: 'POST',
      headers: { authorization: `Token ${this.#token}`, accept: 'application/csv', 'content-type': 'application/json' },
      body: JSON.stringify(body)
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`InfluxDB: ${response.status} ${text}`)
    return parts(parseCsv(text))
  }
}

/** Each part begins with its annotations; a header in between without any is an error that came late. */
function parts(lines: readonly (readonly string[])[]): Answer[] {
  const answers: { columns: Column[]; rows: Record<string, string>[] }[] = []
  let groups: readonly string[] = []
  let types: readonly string[] = []
  let header = false
  for (const line of lines) {
    if (line[0] === '#group') groups = line
    else if (line[0] === '#datatype') {
      types = line
      header = true
    } else if (header) {
      answers.push({
        columns: line.slice(1).map((name, i) => ({ name, type: types[i + 1] ?? '', grouped: groups[i + 1] === 'true' })),
        rows: []
      })
      header = false
    } else {
      const part = answers.at(-1)
      if (!part) throw new Error(`InfluxDB: ${line.join(',')}`)
      part.rows.push(Object.fromEntries(part.columns.map(({ name }, i) => [name, line[i + 1] ?? ''])))
    }
  }
  const late = answers.find(({ columns }) => columns.some(({ name }) => name === 'error'))
  if (late) throw new Error(`InfluxDB: ${JSON.stringify(late.rows)}`)
  return answers
}

/** CSV with quoted fields (RFC 4180); empty lines are left out. */
function parseCsv(text: string): string[][] {
  const lines: string[][] = []
  let line: string[] = []
  for (const [, quoted, plain = '', end = ''] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|$)/g)) {
    line.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
    if (end === ',') continue
    if (line.some(field => field !== '')) lines.push(line)
    line = []
  }
  return lines
}
