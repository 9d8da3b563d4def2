import type { JournalReader } from '#libs/journal'
import { verifyJournal } from '#libs/journal'
import { formatInstant } from '#libs/model'
import type { WireRecord } from '#libs/wire'
import { decodeRecord, recordKind } from '#libs/wire'
import type { Command } from './command.js'
import { textOption } from './command.js'
import { withJournal } from './with-journal.js'

const SHOWN = 100

const verify: Command = {
  words: 'journal verify',
  usage: '',
  help: 'checks every record’s checksum; exit 1 when one is damaged',
  async run({ config, print }) {
    const report = verifyJournal(config.dataDir)
    print(`records ${report.records} damaged ${report.damagedRecords} first ${report.first} last ${report.last} bytes ${report.bytes}`)
    for (const sequence of report.damaged.slice(0, SHOWN)) print(`damaged record ${sequence}`)
    for (const first of report.damagedBlocks.slice(0, SHOWN)) print(`damaged block at ${first}`)
    for (const { from, to } of report.missing.slice(0, SHOWN)) print(`missing ${from} to ${to}`)
    for (const finding of report.structure.slice(0, SHOWN)) print(`structure: ${finding}`)
    return report.sound ? 0 : 1
  }
}

const tail: Command = {
  words: 'journal tail',
  usage: '[--count 20]',
  help: 'the newest records, one line each',
  options: { count: { type: 'string' } },
  async run({ config, options, print }) {
    const count = Math.min(10_000, Math.max(1, Number(textOption(options, 'count') ?? 20) || 20))
    const newest = await withJournal(config.dataDir, journal =>
      journal.readBack(count).map(({ sequence, head, body }) => `${sequence} ${describe(decodeRecord(head, body))}`)
    )
    for (const line of newest) print(line)
    return 0
  }
}

function describe(record: WireRecord): string {
  const origin = `${formatInstant(record.receivedAt)} ${record.station ?? '-'} ${record.kind}`
  if (record.kind === 'readings') {
    const values = record.readings.map(r => `${r.parameter}=${r.value}${r.flag === 1 ? '' : `!${r.flag}`}`)
    return `${origin} ${values.join(' ')}${record.refused.length > 0 ? ` refused ${record.refused.length}` : ''}`
  }
  if (record.kind === 'refusal') return `${origin} ${record.reason}: ${record.detail}`
  if (record.kind === 'repeat') return `${origin} of record ${record.of}`
  return record.kind === 'status' ? `${origin} ${record.online ? 'online' : 'offline'}` : origin
}

const stats: Command = {
  words: 'journal stats',
  usage: '[--repeats] [--json]',
  help: 'sizes and sequences; --repeats counts records with an equal body',
  options: { repeats: { type: 'boolean' }, json: { type: 'boolean' } },
  async run({ config, options, print }) {
    const figures = await withJournal(config.dataDir, journal => {
      const span = { first: journal.firstSequence(), last: journal.lastSequence() }
      return { ...span, ...(options['repeats'] ? countRepeats(journal) : {}) }
    })
    if (options['json']) print(JSON.stringify(figures))
    else for (const [name, value] of Object.entries(figures)) print(`${name} ${String(value)}`)
    return 0
  }
}

const READ = { records: 10_000, bytes: 16 * 2 ** 20 }

/** A body is what a station sent; two records with the same one are one message that was kept twice. */
function countRepeats(reader: JournalReader): { records: number; repeatedBodies: number } {
  const seen = new Set<string>()
  let records = 0
  let after = 0
  for (;;) {
    const entries = reader.read(after, READ)
    for (const { sequence, head, body } of entries) {
      after = sequence
      if (recordKind(head) === 'repeat') continue // a note of ours, no message
      records++
      seen.add(Buffer.from(body).toString('latin1'))
    }
    if (entries.length === 0) return { records, repeatedBodies: records - seen.size }
  }
}

export const journalCommands: readonly Command[] = [verify, tail, stats]
