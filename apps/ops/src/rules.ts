import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import type { Millis } from '#libs/model'
import { formatInstant, messageOf, parseDayOrInstant } from '#libs/model'
import type { Explained, LawKind, Preview, Rejudgement } from '#libs/pipeline'
import { Aggregator, explainAt, explainValue, LAW_KINDS, LawDesk, standardsAt, standardsNow } from '#libs/pipeline'
import type { Config } from '#libs/platform'
import { CodedError } from '#libs/platform'
import type { LawChange } from '#libs/regulation'
import { explain } from '#libs/regulation'
import type { Call, Command } from './command.js'
import { plain, textOption, usageError } from './command.js'
import { openFlagged, termsIn } from './series-terms.js'
import { withState } from './with-state.js'

const text = { type: 'string' } as const
const flag = { type: 'boolean' } as const

const check: Command = {
  words: 'rules check',
  usage: '',
  help: 'holds regulations, permits and alarm rules against the registry: every problem, and what each station is under today',
  async run({ config, print }) {
    const registry = await termsIn(config)
    return withState(config, async ({ law }) => {
      const edition = await law.edition()
      const read = await standardsAt({ law, ...registry }, edition)
      if (!read.ok) {
        for (const problem of read.problems) print(problem)
        throw new CodedError('QT_REGISTRY_INVALID', `${read.problems.length} problems`)
      }
      const { law: now, rules } = read.standards
      print(
        `regulations ${now.regulations.size} permits ${now.permits.length} edition ${edition} fingerprint ${now.fingerprint} rules ${rules.fingerprint}`
      )
      for (const { code, parameters } of registry.stations) {
        const spans = parameters.map(parameter => [parameter, now.spanAt(code, parameter, Date.now())] as const)
        const limited = spans.filter(([, span]) => span.limits.length > 0).map(([parameter]) => parameter)
        const permit = spans.find(([, span]) => span.permit)?.[1].permit
        const bound = permit ? `${permit.regulation}${permit.column === null ? '' : ` ${permit.column}`} (${permit.id})` : 'no permit'
        print(`${code.padEnd(22)} ${bound.padEnd(40)} limits: ${limited.join(' ') || 'none loaded'}`)
      }
      return 0
    })
  }
}

const told: Command = {
  words: 'rules explain',
  usage: 'STATION PARAMETER AT [--value N] [--en]',
  help: 'the verdicts of the reading, hour and day at an instant, or of a value put in by hand: limit, law, permit, rows, version',
  options: { value: text, en: flag },
  async run({ config, positional, options, print }) {
    const [station, parameter, when, ...more] = positional
    if (!station || !parameter || !when || more.length > 0) throw usageError(told, 'name a station, a parameter and an instant')
    const at = parseDayOrInstant(when)
    if (at === undefined) throw usageError(told, `'${when}' is neither a day such as 2026-01-01 nor an RFC 3339 instant`)
    const value = valueOption(textOption(options, 'value'))
    const found = await verdictsOf(config, { station, parameter }, { at, value })
    const language = options['en'] === true ? 'en' : 'vi'
    print(`${station} ${parameter} ${formatInstant(at)}`)
    for (const one of found) {
      print('')
      for (const line of linesOf(one, language)) print(line)
    }
    return 0
  }
}

function valueOption(words: string | undefined): number | null {
  if (words === undefined) return null
  const value = Number(words.replace(',', '.'))
  if (words.trim() === '' || !Number.isFinite(value)) throw usageError(told, `--value '${words}' is no number`)
  return value
}

async function verdictsOf(
  config: Config,
  series: { readonly station: string; readonly parameter: string },
  { at, value }: { readonly at: Millis; readonly value: number | null }
): Promise<Explained[]> {
  const { termsOf, planOf, ...registry } = await termsIn(config)
  const known = termsOf(series)
  if (!known) throw new CodedError('QT_OPS_UNKNOWN_STATION', `not in the registry: ${series.station}/${series.parameter}`)
  return withState(config, async ({ law, aggregates }) => {
    const { standards } = await standardsNow({ law, ...registry })
    if (value !== null) return explainValue(series, { at, value }, { standards, known })
    const { store, readings } = await openFlagged(config, planOf)
    try {
      const aggregator = new Aggregator({ store: readings, aggregates, termsOf, limits: standards })
      return await explainAt(series, at, { store: readings, aggregator, standards, known })
    } finally {
      await store.close()
    }
  })
}

function linesOf({ question, judged, rows }: Explained, language: 'vi' | 'en'): string[] {
  if (judged.legal) return explain(question, judged.legal, rows, language)
  const advice = judged.limit?.source ?? (language === 'vi' ? 'không có giấy phép, không có khuyến cáo' : 'no permit and no advice')
  return [`${question.window} ${question.value ?? '-'} ${question.unit}: ${judged.verdict} (${advice})`]
}

const change = { by: text, reason: text, 'dry-run': flag, yes: flag }

const load: Command = {
  words: 'rules load',
  usage: 'FILE --by NAME --reason TEXT [--dry-run | --yes]',
  help: 'loads a regulation or a permit (one YAML document); shows first what it changes of the past, and does it with --yes',
  options: change,
  async run(call) {
    const [file, ...more] = call.positional
    if (!file || more.length > 0) throw usageError(load, 'name one file')
    const document = await documentIn(file)
    const kind: LawKind = typeof document === 'object' && document !== null && 'station' in document ? 'permit' : 'regulation'
    return changed(load, call, { kind, document })
  }
}

const withdraw: Command = {
  words: 'rules withdraw',
  usage: `${LAW_KINDS.join('|')} ID --by NAME --reason TEXT [--dry-run | --yes]`,
  help: 'takes a regulation or a permit back, loaded or of the registry; shows first what that changes',
  options: change,
  async run(call) {
    const [word, key, ...more] = call.positional
    const kind = LAW_KINDS.find(known => known === word)
    if (!kind || !key || more.length > 0) throw usageError(withdraw, 'name a kind and an id')
    return changed(withdraw, call, { kind, document: null, key })
  }
}

/** Largest document: a table of thousands of lines has a tenth of that. */
const MAX_BYTES = 4 * 2 ** 20

async function documentIn(file: string): Promise<unknown> {
  try {
    const bytes = await readFile(file)
    if (bytes.length > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES} bytes`)
    return parse(bytes.toString('utf8'), { schema: 'core', uniqueKeys: true, maxAliasCount: 100 }) as unknown
  } catch (error) {
    throw new CodedError('QT_LAW_INVALID', `${file}: ${messageOf(error)}`)
  }
}

async function changed(
  command: Command,
  { config, options, print }: Call,
  asking: { readonly kind: LawKind; readonly document: unknown; readonly key?: string }
): Promise<number> {
  const [author, reason] = ['by', 'reason'].map(name => textOption(options, name)?.trim())
  if (!author || !reason) throw usageError(command, '--by and --reason are missing: somebody answers for it, and says why')
  const registry = await termsIn(config)
  return withState(config, async ({ law, aggregates }) => {
    const desk = new LawDesk({ law, ...registry }, aggregates)
    const preview = await desk.preview(asking)
    if (!preview.ok) throw new CodedError('QT_LAW_INVALID', `it cannot be used:\n  ${preview.problems.join('\n  ')}`)
    show(preview, print)
    if (options['yes'] !== true) {
      print(options['dry-run'] === true ? 'dry run: nothing was changed' : 'nothing was changed yet: say it again with --yes')
      return 0
    }
    const entry = await desk.change(asking, preview, { author, via: null, reason })
    print(`edition ${entry.edition} recorded: a running server follows within seconds, and judges anew what changed`)
    return 0
  })
}

function show({ proposed, rejudgement }: Extract<Preview, { ok: true }>, print: (line: string) => void): void {
  if (proposed.changes.length === 0) print('no limit of any series is different')
  for (const one of proposed.changes) print(changeLine(one))
  for (const line of rejudgementLines(rejudgement)) print(line)
}

function changeLine({ station, parameter, from, to, before, after }: LawChange): string {
  const bounds = ({ limits, gap }: LawChange['before']): string =>
    gap ??
    limits
      .map(
        ({ low, high, unit, window }) =>
          `${[low, high].filter(one => one !== null).join('–')} ${unit}${window === 'any' ? '' : ` (${window})`}`
      )
      .join(', ')
  const span = `${from === null ? '…' : formatInstant(from)} → ${to === null ? '…' : formatInstant(to)}`
  return `${station} ${parameter} ${span}: ${bounds(before)} => ${bounds(after)}`
}

const SHOWN = 20

function rejudgementLines({ looked, changed: count, counts, examples }: Rejudgement): string[] {
  const lines = [`published hours and days looked at ${looked}, with another verdict ${count}`]
  for (const [step, number] of counts) lines.push(`  ${step}: ${number}`)
  for (const { station, parameter, period, end, mean, unit, before, after } of examples.slice(0, SHOWN))
    lines.push(`  ${station} ${parameter} ${period} ending ${formatInstant(end)}: ${mean} ${unit} ${before} -> ${after}`)
  return lines
}

const CHANGES = 100

const changes: Command = {
  words: 'rules changes',
  usage: '',
  help: `changes of the law that staff have made, newest first, at most ${CHANGES}: who, why, from when`,
  async run({ config, print }) {
    const { items } = await withState(config, ({ law }) => law.changes({ limit: CHANGES }))
    for (const { edition, kind, key, document, from, author, reason, changedAt } of items) {
      const done = document === null ? 'withdrawn' : 'loaded'
      const since = from === null ? 'nothing different' : `from ${formatInstant(from)}`
      print(plain(`${String(edition).padEnd(5)} ${formatInstant(changedAt)} ${kind} ${key} ${done} (${since}) by ${author}: ${reason}`))
    }
    return 0
  }
}

export const ruleCommands: readonly Command[] = [check, told, load, withdraw, changes]
