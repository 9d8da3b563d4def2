import { serverLock } from '#libs/adapters/state'
import { codeOf, EARLIEST } from '#libs/model'
import type { AggregateLog, RecomputeProgress, RecomputeQuery, Standards, TermsOf } from '#libs/pipeline'
import { Aggregator, daysOf, markAnew, recompute, standardsNow } from '#libs/pipeline'
import type { Config } from '#libs/platform'
import { CodedError } from '#libs/platform'
import type { Plans } from '#libs/quality'
import type { Call, Command } from './command.js'
import { usageError } from './command.js'
import { instantOption } from './instant-option.js'
import { progressBar } from './progress-bar.js'
import { openFlagged, termsIn } from './series-terms.js'
import { withState } from './with-state.js'

const anew: Command = {
  words: 'aggregates recompute',
  usage: 'STATION PARAMETER --from INSTANT [--to INSTANT]',
  help: 'sums a series up anew, whole days; what differs gets the next revision. A running server is asked to do it',
  options: { from: { type: 'string' }, to: { type: 'string' } },
  async run(call) {
    const query = queryOf(call)
    const { termsOf, planOf, ...registry } = await termsIn(call.config)
    await withState(call.config, async ({ aggregates, law }) => {
      const { standards } = await standardsNow({ law, ...registry })
      const known = termsOf(query)
      if (!known) throw new CodedError('QT_OPS_UNKNOWN_STATION', `not in the registry: ${query.station}/${query.parameter}`)
      const lock = lockOrNull(call.config)
      if (!lock) {
        call.print(`windows ${await markAnew(query, { aggregates, known })} marked: the running server sums them up`)
        return
      }
      try {
        await computeHere(query, { ...call, standards, termsOf, planOf, aggregates })
      } finally {
        lock.close()
      }
    })
    return 0
  }
}

function queryOf({ positional, options }: Call): RecomputeQuery {
  const [station, parameter, ...more] = positional
  if (!station || !parameter || more.length > 0) throw usageError(anew, 'name one station and one parameter')
  const [from, to, now] = [instantOption(anew, options, 'from'), instantOption(anew, options, 'to'), Date.now()]
  if (from === undefined) throw usageError(anew, '--from is missing')
  const end = to ?? now
  if (from >= end) throw usageError(anew, '--from must be before --to')
  return { station, parameter, from: Math.max(from, EARLIEST), to: end, now }
}

/** Null while a server runs: it alone computes then. */
function lockOrNull({ dataDir }: Config): ReturnType<typeof serverLock> | null {
  try {
    return serverLock(dataDir)
  } catch (error) {
    if (codeOf(error) === 'QT_DATA_DIR_IN_USE') return null
    throw error
  }
}

interface Here {
  readonly config: Config
  readonly print: Call['print']
  readonly standards: Standards
  readonly termsOf: TermsOf
  readonly planOf: Plans
  readonly aggregates: AggregateLog
}

async function computeHere(query: RecomputeQuery, { config, print, standards, termsOf, planOf, aggregates }: Here): Promise<void> {
  const { store, readings } = await openFlagged(config, planOf)
  const known = termsOf(query)
  if (!known) return
  const aggregator = new Aggregator({ store: readings, aggregates, termsOf, limits: standards })
  const bar = progressBar('days', daysOf(query, known))
  const began = performance.now()
  let done: RecomputeProgress = { days: 0, windows: 0, changed: 0 }
  try {
    for await (const progress of recompute(query, { aggregates, aggregator, known })) {
      done = progress
      bar.show(done.days)
    }
  } finally {
    bar.end()
    await store.close()
  }
  print(`days ${done.days} windows ${done.windows} changed ${done.changed} ms ${Math.round(performance.now() - began)}`)
}

export const aggregateCommands: readonly Command[] = [anew]
