import type { CorrectionEntry, CorrectionResult } from '#libs/adapters/state'
import type { Change, Correction, Person } from '#libs/corrections'
import { CORRECTION_STATES } from '#libs/corrections'
import { formatInstant } from '#libs/model'
import { CodedError } from '#libs/platform'
import type { Call, Command } from './command.js'
import { plain, textOption, usageError } from './command.js'
import { withState } from './with-state.js'

const text = { type: 'string' } as const
const LISTED = 1_000

const list: Command = {
  words: 'correction list',
  usage: `[--station CODE] [--parameter NAME] [--state ${CORRECTION_STATES.join('|')}]`,
  help: `corrections of raw readings, newest first, at most ${LISTED}`,
  options: { station: text, parameter: text, state: text },
  async run({ config, options, print }) {
    const [station, parameter, word] = ['station', 'parameter', 'state'].map(name => textOption(options, name))
    const state = CORRECTION_STATES.find(known => known === word)
    if (word !== undefined && state === undefined) throw usageError(list, `--state is one of ${CORRECTION_STATES.join(', ')}`)
    const query = { ...(station && { station }), ...(parameter && { parameter }), ...(state && { state }), limit: LISTED }
    const { items } = await withState(config, ({ corrections }) => corrections.list(query))
    for (const correction of items) print(lineOf(correction))
    return 0
  }
}

const show: Command = {
  words: 'correction show',
  usage: 'ID',
  help: 'one correction with everything that was done to it',
  async run(call) {
    const id = idOf(show, call)
    const found = await withState(call.config, async ({ corrections }) => {
      const correction = await corrections.get(id)
      return correction && { correction, history: await corrections.history(id) }
    })
    if (!found) throw new CodedError('QT_CORRECTION_UNKNOWN', `there is no correction ${id}`)
    const { correction, history } = found
    call.print(lineOf(correction))
    call.print(`version ${correction.version} written by ${correction.writers.map(nameOf).join(', ')}`)
    if (correction.change.kind === 'replace') {
      for (const { at, value } of correction.change.values) call.print(`  ${formatInstant(at)} ${value}`)
    }
    for (const entry of history) call.print(entryLine(entry))
    return 0
  }
}

const DECIDING = 'ID --version N --by NAME'

const approve: Command = {
  words: 'correction approve',
  usage: `${DECIDING} [--comment TEXT]`,
  help: 'lets a correction that waits into the corrected series; NAME has written nothing of it, N is the version that was looked at',
  options: { version: text, by: text, comment: text },
  run: call => decided(approve, call, 'approve')
}

const reject: Command = {
  words: 'correction reject',
  usage: `${DECIDING} --comment TEXT`,
  help: 'does not, and says why',
  options: { version: text, by: text, comment: text },
  run: call => decided(reject, call, 'reject')
}

async function decided(command: Command, call: Call, event: 'approve' | 'reject'): Promise<number> {
  const id = idOf(command, call)
  const [version, name, comment] = ['version', 'by', 'comment'].map(option => textOption(call.options, option))
  if (version === undefined || !/^\d{1,9}$/.test(version)) throw usageError(command, '--version is a number: correction show tells it')
  if (name === undefined) throw usageError(command, '--by is missing: somebody answers for it')
  const by: Person = { name, via: null }
  const order = { event, version: Number(version), by, comment: comment ?? null }
  const result: CorrectionResult = await withState(call.config, ({ corrections }) => corrections.act(id, order))
  if (!result.ok) throw new CodedError(result.code, `correction ${id}: ${result.message}`)
  call.print(lineOf(result.correction))
  return 0
}

function idOf(command: Command, { positional }: Call): number {
  const [id, ...more] = positional
  if (id === undefined || !/^\d{1,15}$/.test(id) || more.length > 0) throw usageError(command, 'name one correction by its number')
  return Number(id)
}

const nameOf = ({ name, via }: Person): string => plain(via === null || via === name ? name : `${name} (token ${via})`)

const lineOf = ({ id, state, station, parameter, change, writers, reason }: Correction): string => {
  const author = writers[0] ? nameOf(writers[0]) : ''
  return `${String(id).padEnd(6)} ${state.padEnd(9)} ${station}/${parameter} ${changeText(change)} by ${author}: ${plain(reason)}`
}

function changeText(change: Change): string {
  if (change.kind === 'replace')
    return `replace ${change.values.length} from ${formatInstant(Math.min(...change.values.map(({ at }) => at)))}`
  const { kind, from, to } = change
  const terms = kind === 'scale' ? ` × ${change.factor} + ${change.offset}` : kind === 'set-flag' ? ` ${change.flag}` : ''
  return `${kind}${terms} ${formatInstant(from)} to ${formatInstant(to)}`
}

const entryLine = ({ version, event, at, by, state, comment, change, reason }: CorrectionEntry): string => {
  const said = change ? `: ${changeText(change)}: ${plain(reason ?? '')}` : ''
  return `  ${version} ${formatInstant(at)} ${event} by ${nameOf(by)} -> ${state}${said}${comment === null ? '' : `: ${plain(comment)}`}`
}

export const correctionCommands: readonly Command[] = [list, show, approve, reject]
