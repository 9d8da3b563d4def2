import { schemaScript } from '#libs/adapters/warehouse-postgres'
import { EARLIEST, formatInstant, LATEST } from '#libs/model'
import type { ForwardSelection, Period } from '#libs/pipeline'
import type { Call, Command } from './command.js'
import { textOption, usageError } from './command.js'
import { instantOption } from './instant-option.js'
import { withState } from './with-state.js'

const text = { type: 'string' } as const
const SELECTION = { station: text, parameter: text, period: text, from: text, to: text } as const
const SELECTED = '[--station CODE] [--parameter NAME] [--period hour|day|month] [--from DATE] [--to DATE]'
const LISTED = 1_000

const status: Command = {
  words: 'forward status',
  usage: '',
  help: 'what the warehouse does not have yet, and how the last comparison with it ended',
  async run({ config, print }) {
    await withState(config, async ({ forwarding }) => {
      const { begun, fresh, waiting, rejected, lastComparison, comparisonsOrdered } = await forwarding.status()
      if (config.warehouse === null) print('warehouse none: QUANTRAC_WAREHOUSE_URL is not set here')
      if (!begun) print('nothing was sent to a warehouse yet')
      print(`fresh ${fresh} waiting ${waiting} rejected ${rejected}`)
      if (lastComparison) {
        const { finishedAt, days, differing, resent, theirsAlone } = lastComparison
        print(`compared ${formatInstant(finishedAt)} days ${days} differing ${differing} resent ${resent} only there ${theirsAlone}`)
      }
      if (comparisonsOrdered > 0) print(`comparisons ordered ${comparisonsOrdered}`)
    })
    return 0
  }
}

const rejected: Command = {
  words: 'forward rejected',
  usage: '',
  help: `what the warehouse did not take, with its reasons; at most ${LISTED}, those that wait longest first`,
  async run({ config, print }) {
    await withState(config, async ({ forwarding }) => {
      for (const { station, parameter, period, end, revision, attempts, since, reason } of await forwarding.rejected(LISTED)) {
        const window = `${station}/${parameter} ${period} ${formatInstant(end)} revision ${revision}`
        print(`${window} since ${formatInstant(since)} attempts ${attempts}: ${reason}`)
      }
    })
    return 0
  }
}

const redo: Command = {
  words: 'forward redo',
  usage: `${SELECTED} [--rejected [--next-revision]] [--all]`,
  help: 'has aggregates sent again, windows that end after --from and not after --to; a running server does it at once',
  options: { ...SELECTION, rejected: { type: 'boolean' }, 'next-revision': { type: 'boolean' }, all: { type: 'boolean' } },
  async run({ config, positional, options, print }) {
    if (positional.length > 0) throw usageError(redo, `not understood: ${positional.join(' ')}`)
    const only = options['rejected'] === true
    const nextRevision = options['next-revision'] === true
    if (nextRevision && !only) throw usageError(redo, '--next-revision goes with --rejected')
    const named = Object.keys(SELECTION).some(name => options[name] !== undefined)
    if (!only && named === (options['all'] === true)) throw usageError(redo, 'say which ones, or --all')
    const selection = selectionOf(redo, options)
    const now = Date.now()
    const count = await withState(config, ({ forwarding }) =>
      only ? forwarding.redoRejected(selection, { now, nextRevision }) : forwarding.redo(selection, now)
    )
    print(`aggregates ${count} are sent again`)
    return 0
  }
}

const compare: Command = {
  words: 'forward compare',
  usage: '--from DATE [--to DATE]',
  help: 'has the running server compare both sides day by day, as it does every night, and send what differs again',
  options: { from: text, to: text },
  async run({ config, options, print }) {
    const { from, to } = selectionOf(compare, options)
    const now = Date.now()
    if (from === EARLIEST) throw usageError(compare, '--from is missing')
    await withState(config, ({ forwarding }) => forwarding.compare({ from, to: Math.min(to, now) }, now))
    print('ordered: npm run -s ops -- forward status')
    return 0
  }
}

const schema: Command = {
  words: 'forward schema',
  usage: '',
  help: 'prints the schema of a warehouse in PostgreSQL as SQL, for an administrator who makes it himself',
  run({ print }) {
    print(schemaScript())
    return Promise.resolve(0)
  }
}

const PERIODS: readonly string[] = ['hour', 'day', 'month']

function selectionOf(command: Command, options: Call['options']): ForwardSelection {
  const [station, parameter, period] = ['station', 'parameter', 'period'].map(name => textOption(options, name))
  if (period !== undefined && !PERIODS.includes(period)) throw usageError(command, '--period is hour, day or month')
  const from = instantOption(command, options, 'from') ?? EARLIEST
  const to = instantOption(command, options, 'to') ?? LATEST
  if (from >= to) throw usageError(command, '--from must be before --to')
  return {
    ...(station === undefined ? {} : { station }),
    ...(parameter === undefined ? {} : { parameter }),
    ...(period === undefined ? {} : { period: period as Period }),
    from,
    to
  }
}

export const forwardCommands: readonly Command[] = [status, rejected, redo, compare, schema]
