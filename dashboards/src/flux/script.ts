import { MEASUREMENTS } from '#libs/adapters/store-influx'
import { walk } from './expression.js'
import type { Flow, MeasurementName, Use } from './flow.js'

/** Packages by the prefix of their functions. */
const PACKAGES: Readonly<Record<string, string>> = { array: 'array', date: 'date', join: 'join', math: 'math', timezone: 'timezone' }

/** Columns that InfluxDB gives to every point. */
const GIVEN = ['_time', '_value', '_field', '_measurement', '_start', '_stop']

/** A whole query: flows with names, used by those that follow, and the flow whose rows are the answer. */
export class Script {
  readonly #bindings: readonly (readonly [binding: string, flow: Flow])[]
  readonly #result: Flow

  constructor(bindings: Readonly<Record<string, Flow>>, result: Flow) {
    this.#bindings = Object.entries(bindings)
    this.#result = result
  }

  static of(result: Flow): Script {
    return new Script({}, result)
  }

  get #flows(): readonly Flow[] {
    return [...this.#bindings.map(([, flow]) => flow), this.#result]
  }

  /** What it reads of InfluxDB. */
  get uses(): readonly Use[] {
    return this.#flows.flatMap(flow => flow.uses)
  }

  /** Variables of the board that it asks for. */
  get variables(): readonly string[] {
    const parts = this.#flows.flatMap(flow => flow.parts.flatMap(part => [...walk(part)]))
    return [...new Set(parts.flatMap(part => (part.is === 'chosen' ? [part.variable] : [])))]
  }

  /** Columns that are read and that neither the measurements have nor a step makes; empty for a sound query. */
  get strangers(): readonly string[] {
    const known = new Set([...GIVEN, ...this.uses.flatMap(({ measurement, fields }) => [...tagsOf(measurement), ...fields])])
    for (const flow of this.#flows) for (const step of flow.steps) for (const made of step.makes) known.add(made)
    const read = this.#flows.flatMap(flow => flow.steps.flatMap(step => step.reads))
    return [...new Set(read)].filter(name => !known.has(name))
  }

  print(): string {
    const bindings = this.#bindings.map(([binding, flow]) => `${binding} = ${flow.print()}`)
    const body = [...bindings, this.#result.print()].join('\n\n')
    const calendar = /every: \d+mo\b/.test(body) || body.includes('date.')
    const zone = calendar ? 'option location = timezone.fixed(offset: 7h)\n\n' : ''
    const used = Object.keys(PACKAGES).filter(prefix => new RegExp(`\\b${prefix}\\.`).test(zone + body))
    const imports = used.map(prefix => `import "${PACKAGES[prefix]}"\n`).join('')
    return `${imports}${imports && '\n'}${zone}${body}`
  }
}

const tagsOf = (measurement: MeasurementName): readonly string[] => MEASUREMENTS[measurement].tags
