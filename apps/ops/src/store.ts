import { InfluxStore } from '#libs/adapters/store-influx'
import { SqliteStore } from '#libs/adapters/store-sqlite'
import type { WholeStore } from '#libs/pipeline'
import { copyStore } from '#libs/pipeline'
import type { Config } from '#libs/platform'
import { CodedError } from '#libs/platform'
import type { Command } from './command.js'
import { textOption, usageError } from './command.js'
import { progressBar } from './progress-bar.js'
import { withJournal } from './with-journal.js'

const KINDS = ['sqlite', 'influx'] as const
type Kind = (typeof KINDS)[number]

const kindOf = (text: string | undefined): Kind | undefined => KINDS.find(kind => kind === text)

async function open(
  kind: Kind,
  { dataDir, influx }: Config,
  readOnly: boolean
): Promise<WholeStore & { stats(): Promise<{ points: number }> }> {
  if (kind === 'sqlite') return SqliteStore.open({ dataDir, readOnly })
  if (!influx) throw new CodedError('QT_OPS_USAGE', 'InfluxDB is not configured: set QUANTRAC_INFLUX_URL and QUANTRAC_INFLUX_TOKEN')
  // The cursor that is copied counts the records of this data directory's journal.
  const journal = await withJournal(dataDir, reader => reader.identity())
  return InfluxStore.open({ ...influx, readOnly, journal })
}

const copy: Command = {
  words: 'store copy',
  usage: '--from sqlite|influx --to influx|sqlite',
  help: 'copies all readings into the other store and compares; may be broken off and called again; the server may run on the source',
  options: { from: { type: 'string' }, to: { type: 'string' } },
  async run({ config, options, print }) {
    const [from, to] = [kindOf(textOption(options, 'from')), kindOf(textOption(options, 'to'))]
    if (!from || !to || from === to) throw usageError(copy, 'two stores are needed, one of each kind')
    const source = await open(from, config, true)
    try {
      const target = await open(to, config, false)
      try {
        const bar = progressBar('readings', (await source.stats()).points)
        const report = await copyStore(source, target, ({ read }) => bar.show(read)).finally(() => bar.end())
        print(
          `readings ${report.read} written ${report.written} series-days ${report.days} conflicts ${report.conflicts} different ${report.different.length} cursor ${report.cursor}`
        )
        for (const { station, parameter, day } of report.different.slice(0, 20))
          print(`different ${station}/${parameter} ${new Date(day).toISOString()}`)
        return report.different.length === 0 ? 0 : 1
      } finally {
        await target.close()
      }
    } finally {
      await source.close()
    }
  }
}

export const storeCommands: readonly Command[] = [copy]
