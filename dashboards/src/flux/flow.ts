import { BUCKETS, MEASUREMENTS } from '#libs/adapters/store-influx'
import type { Expression, Fields } from './expression.js'
import {
  all,
  any,
  call,
  chosen,
  column,
  differs,
  duration,
  equal,
  fn,
  list,
  name,
  plus,
  print,
  record,
  text,
  walk,
  whole
} from './expression.js'

type Measurements = typeof MEASUREMENTS
export type MeasurementName = keyof Measurements
type FieldOf<M extends MeasurementName> = keyof Measurements[M]['fields'] & string

/** One step of a flow, with the columns that it reads and those that it makes. */
interface Step {
  readonly call: string
  readonly args: Fields
  readonly reads: readonly string[]
  readonly makes: readonly string[]
}

/** What a flow reads of InfluxDB. */
export interface Use {
  readonly measurement: MeasurementName
  readonly fields: readonly string[]
}

/** Macros that Grafana's InfluxDB data source fills in (pkg/tsdb/influxdb/flux/macros.go). */
export const BOARD_START = name('v.timeRangeStart')
export const BOARD_STOP = name('v.timeRangeStop')
export const BOARD_WINDOW = name('v.windowPeriod')
const DEFAULT_BUCKET = name('v.defaultBucket')

/** The instants that a flow reads: those of the board, a fixed span up to now, or everything. */
export type Span = 'board' | 'ever' | `-${number}${'h' | 'd' | 'mo'}`

interface Wanted<M extends MeasurementName> {
  readonly fields: readonly FieldOf<M>[]
  readonly span: Span
  readonly where?: Expression
}

interface Joined {
  /** Columns that must be equal. */
  readonly on: readonly [string, ...string[]]
  /** What later steps need of `left` … */
  readonly has: Fields
  /** … and what is wanted of `right`. */
  readonly take: Fields
}

/** A chain of Flux steps from a measurement of the catalogue. Each method gives a new flow. */
export class Flow {
  readonly source: string
  readonly steps: readonly Step[]
  readonly uses: readonly Use[]

  private constructor(source: string, steps: readonly Step[], uses: readonly Use[]) {
    this.source = source
    this.steps = steps
    this.uses = uses
  }

  /** Points of one measurement: the names are held against the catalogue by the compiler, and once more by a test. */
  static read<M extends MeasurementName>(measurement: M, { fields, span, where }: Wanted<M>): Flow {
    const suffix = BUCKETS[MEASUREMENTS[measurement].bucket]
    const bucket = suffix === '' ? DEFAULT_BUCKET : plus(DEFAULT_BUCKET, text(suffix))
    const [first = '', ...more] = fields.map(field => equal(column('_field'), text(field)))
    const source = new Flow(`from(bucket: ${print(bucket)})`, [], [{ measurement, fields }])
    const read = source
      .step('range', rangeOf(span))
      .filter(equal(column('_measurement'), text(measurement)))
      .filter(first === '' ? equal(column('_field'), text('')) : any(first, ...more))
    return where === undefined ? read : read.filter(where)
  }

  /** A flow that was given a name before (`Script`). */
  static named(binding: string): Flow {
    return new Flow(binding, [], [])
  }

  /** Two flows one after the other, each by its name. */
  static union(...bindings: readonly string[]): Flow {
    return new Flow(`union(tables: ${print(list(...bindings.map(name)))})`, [], [])
  }

  /**
   * Rows of `left`, each with the wanted columns of the row of `right` where `on` (texts) is equal; null where there is none.
   * Flux refuses to join what is empty or lacks a column (a new installation has no alarm yet), so one row that fits nothing
   * stands on both sides, and is left out of the answer: `has` and `take` give its values, and by them the columns' types.
   */
  static joinLeft(left: string, right: string, { on, has, take }: Joined): Flow {
    const keys = Object.fromEntries(on.map(key => [key, text('')]))
    const [first, ...rest] = on
    const same = (key: string): Expression => equal(column(key, 'l'), column(key, 'r'))
    const taken = Object.fromEntries(Object.keys(take).map(key => [key, column(key, 'r')]))
    const args: Fields = {
      left: padded(left, { ...keys, ...has }),
      right: padded(right, { ...keys, ...take }),
      on: fn(['l', 'r'], all(same(first), ...rest.map(same))),
      as: fn(['l', 'r'], record(taken, 'l'))
    }
    return new Flow(`join.left(${argumentsOf(args)})`, [], []).filter(differs(column(first), text('')))
  }

  step(call: string, args: Fields = {}, columns: { reads?: readonly string[]; makes?: readonly string[] } = {}): Flow {
    const seen = Object.values(args).flatMap(columnsIn)
    const reads = [...seen, ...(columns.reads ?? [])]
    return new Flow(this.source, [...this.steps, { call, args, reads, makes: columns.makes ?? [] }], this.uses)
  }

  filter(test: Expression): Flow {
    return this.step('filter', { fn: fn(['r'], test) })
  }

  /** Adds or replaces columns. */
  map(fields: Fields): Flow {
    return this.step('map', { fn: fn(['r'], record(fields)) }, { makes: Object.keys(fields) })
  }

  /** One row for each table out of all its rows. */
  reduce(identity: Fields, fields: Fields): Flow {
    const makes = Object.keys(identity)
    return this.step('reduce', { identity: record(identity, null), fn: fn(['r', 'accumulator'], record(fields, null)) }, { makes })
  }

  group(...columns: readonly string[]): Flow {
    return this.step('group', columns.length === 0 ? {} : { columns: texts(columns) }, { reads: columns })
  }

  keep(...columns: readonly string[]): Flow {
    return this.step('keep', { columns: texts(columns) }, { reads: columns })
  }

  rename(names: Readonly<Record<string, string>>): Flow {
    const columns = record(Object.fromEntries(Object.entries(names).map(([from, to]) => [from, text(to)])), null)
    return this.step('rename', { columns }, { reads: Object.keys(names), makes: Object.values(names) })
  }

  sort(columns: readonly string[], order: 'ascending' | 'descending' = 'ascending'): Flow {
    return this.step('sort', { columns: texts(columns), desc: name(String(order === 'descending')) }, { reads: columns })
  }

  /** Fields become columns: one row for each instant of a series. */
  pivot(): Flow {
    return this.step('pivot', { rowKey: texts(['_time']), columnKey: texts(['_field']), valueColumn: text('_value') })
  }

  last(): Flow {
    return this.step('last')
  }

  limit(rows: number): Flow {
    return this.step('limit', { n: whole(rows) })
  }

  /** One value for each window; each window bears its beginning. Days and months are those of Vietnam, UTC+7 all the year. */
  windows(every: Expression | `${number}${'d' | 'mo'}`, aggregate: 'mean' | 'last' | 'max' | 'count' | 'sum'): Flow {
    const calendar = typeof every === 'string'
    const size = calendar ? duration(every) : every
    const offset: Fields = calendar && every.endsWith('d') ? { offset: duration('-7h') } : {}
    return this.step('aggregateWindow', {
      every: size,
      ...offset,
      fn: name(aggregate),
      createEmpty: name('false'),
      timeSrc: text('_start')
    })
  }

  get parts(): readonly Expression[] {
    return this.steps.flatMap(step => Object.values(step.args))
  }

  print(): string {
    return [this.source, ...this.steps.map(({ call, args }) => `  |> ${call}(${argumentsOf(args)})`)].join('\n')
  }
}

/** `keep` makes no promise of its rows' type, so that a row with fewer columns may stand beside the others. */
function padded(binding: string, row: Fields): Expression {
  const one = call('array.from', { rows: list(record(row, null)) })
  return call('union', { tables: list(name(binding), call('keep', { tables: one, columns: texts(Object.keys(row)) })) })
}

const texts = (columns: readonly string[]): Expression => list(...columns.map(text))

const argumentsOf = (args: Fields): string =>
  Object.entries(args)
    .map(([key, value]) => `${key}: ${print(value)}`)
    .join(', ')

/** Columns of the flow's own row; those of an accumulator are its own. */
const columnsIn = (expression: Expression): string[] =>
  [...walk(expression)].flatMap(part => (part.is === 'column' && part.row === 'r' ? [part.name] : []))

function rangeOf(span: Span): Fields {
  if (span === 'board') return { start: BOARD_START, stop: BOARD_STOP }
  return { start: span === 'ever' ? whole(0) : duration(span) }
}

/** True where the row's column is one of those chosen in the board's variable. */
export const isChosen = (columnName: string, variable: string): Expression => ({
  is: 'call',
  name: 'contains',
  args: { value: column(columnName), set: list(chosen(variable)) }
})
