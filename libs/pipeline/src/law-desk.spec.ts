import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Aggregate } from '#libs/aggregates'
import { DAY, HOUR, parseDayOrInstant } from '#libs/model'
import type { Registry } from '#libs/platform'
import { loadRegistry } from '#libs/platform'
import type { LawChangeEntry, LawDraft, LawLog, LoadedLaw, Preview } from './index.js'
import { LawDesk, LawFollower, standardsAt, standardsNow } from './index.js'

const STATION = 'AG-KCN-BINHHOA-01'
const at = (text: string): number => parseDayOrInstant(text) ?? Number.NaN

/** The list of changes in memory: what the state's suite binds to the real one. */
class Log implements LawLog {
  readonly entries: LawChangeEntry[] = []

  async edition(): Promise<number> {
    return this.entries.length
  }

  async standing(edition: number): Promise<LoadedLaw[]> {
    return [...new Map(this.entries.slice(0, edition).map(one => [`${one.kind}/${one.key}`, one])).values()]
  }

  async record(draft: LawDraft): Promise<LawChangeEntry> {
    this.entries.push({ ...draft, edition: this.entries.length + 1, changedAt: 0 })
    return this.entries.at(-1) as LawChangeEntry
  }
}

const permit = {
  ...{ id: 'P-NEW', station: STATION, document: 'new', regulation: 'qcvn-40-2011', column: 'A', kq: 0.9, kf: 1 },
  ...{ operatingSince: '2015-01-01', validFrom: '2026-11-02' }
}

/** Means of COD over the days and hours of three days, as they were published. */
function published(): Aggregate[] {
  const start = at('2026-11-01')
  const make = (period: 'hour' | 'day', end: number, mean: number): Aggregate =>
    ({ station: STATION, parameter: 'COD', period, start: end - (period === 'day' ? DAY : HOUR), end, mean, unit: 'mg/L' }) as Aggregate
  const days = [70, 70, 40].map((mean, n) => make('day', start + (n + 1) * DAY, mean))
  const hours = Array.from({ length: 72 }, (_, n) => make('hour', start + (n + 1) * HOUR, n % 24 === 5 ? 89 : 30))
  return [...days, ...hours]
}

const aggregates = {
  find: async ({ parameter, period, from, to, limit }: { parameter: string; period: string; from: number; to: number; limit: number }) =>
    published()
      .filter(one => one.parameter === parameter && one.period === period && one.end > from && one.end <= to)
      .slice(0, limit)
}

describe('a change of the law', () => {
  let registry: Registry
  let log: Log
  let desk: LawDesk
  const ports = () => ({ law: log, sources: registry, stations: registry.stations })
  beforeAll(async () => {
    registry = await loadRegistry('devices/registry', 'devices')
  })
  beforeEach(() => {
    log = new Log()
    desk = new LawDesk(ports(), aggregates)
  })
  const shown = async (document: unknown, more: object = {}): Promise<Extract<Preview, { ok: true }>> => {
    const preview = await desk.preview({ kind: 'permit', document, ...more })
    if (!preview.ok) throw new Error(preview.problems.join('\n'))
    return preview
  }
  const by = { author: 'Lan', via: null, reason: 'test' }

  it('is shown first: limits that differ, and published means that get another verdict', async () => {
    const { proposed, rejudgement } = await shown(permit)
    const cod = proposed.changes.filter(({ parameter }) => parameter === 'COD')
    expect(cod).toMatchObject([
      { from: at('2026-11-02'), to: at('2032-01-01'), before: { limits: [{ high: 90 }] }, after: { limits: [{ high: 67.5 }] } }
    ])
    expect(proposed.from).toBe(at('2026-11-02'))
    expect(Object.fromEntries(rejudgement.counts)).toEqual({ 'day within -> exceeds': 1, 'hour preparing -> exceeds': 2 })
    expect(rejudgement.examples[0]).toMatchObject({ period: 'day', end: at('2026-11-03'), mean: 70, before: 'within', after: 'exceeds' })
    expect(log.entries).toEqual([])
  })

  it('is recorded with author, reason and first day, and taken back', async () => {
    const entry = await desk.change({ kind: 'permit', document: permit }, await shown(permit), by)
    expect(entry).toMatchObject({ edition: 1, kind: 'permit', key: 'P-NEW', from: at('2026-11-02'), author: 'Lan', reason: 'test' })
    const back = await shown(null, { key: 'P-NEW' })
    expect(back.proposed.changes.find(({ parameter }) => parameter === 'COD')?.after.limits[0]?.high).toBe(90)
    expect(Object.fromEntries(back.rejudgement.counts)).toEqual({ 'day exceeds -> within': 1, 'hour exceeds -> preparing': 2 })
    await desk.change({ kind: 'permit', document: null, key: 'P-NEW' }, back, by)
    const [first, second, third] = await Promise.all([0, 1, 2].map(edition => standardsAt(ports(), edition)))
    const limit = (read: typeof first) => (read?.ok ? read.standards.law.spanAt(STATION, 'COD', at('2026-11-05')).limits[0]?.high : null)
    expect([first, second, third].map(limit)).toEqual([90, 67.5, 90])
  })

  it('may replace and withdraw what the registry has', async () => {
    const wider = { ...permit, id: 'BINHHOA-2024', kq: 1.2, kf: 1.2, validFrom: '2024-07-01' }
    await desk.change({ kind: 'permit', document: wider }, await shown(wider), by)
    const gone = await shown(null, { key: 'BINHHOA-2024' })
    expect(gone.proposed.changes.find(({ parameter }) => parameter === 'COD')).toMatchObject({
      before: { limits: [{ high: 108 }] },
      after: { limits: [{ high: 99, basis: { permit: 'BINHHOA-2019' } }] }
    })
  })

  it('loads the table that ships empty (made-up numbers), and the station has a limit from the day the table begins', async () => {
    const shipped = registry.law.regulations.find(({ name }) => name.includes('40-2025'))?.content as object
    const document = { ...shipped, edition: 2, limits: [{ parameter: 'COD', unit: 'mg/L', flowClass: 'F1', max: { B: 7777 } }] }
    const preview = await desk.preview({ kind: 'regulation', document })
    expect(preview.ok ? preview.proposed.changes.filter(({ after }) => after.limits.length > 0) : []).toMatchObject([
      {
        station: 'AG-CCN-MYQUY-01',
        parameter: 'COD',
        from: at('2025-09-01'),
        before: { gap: 'no-limit-loaded' },
        after: { limits: [{ high: 7777 }] }
      }
    ])
  })

  it('and the registry are held against each other together: a permit of the files may name a regulation that was loaded', async () => {
    const shipped = registry.law.regulations.find(({ name }) => name.includes('40-2011'))?.content as object
    const added = { name: 'permits.yaml: permits.99', content: { ...permit, regulation: 'qcvn-40-2011-x' } }
    const sources = { ...registry, law: { ...registry.law, permits: [...registry.law.permits, added] } }
    await expect(standardsNow({ ...ports(), sources })).rejects.toMatchObject({
      code: 'QT_REGISTRY_INVALID',
      message: expect.stringContaining("permits.99: regulation: unknown regulation 'qcvn-40-2011-x'")
    })
    await log.record({ kind: 'regulation', key: 'qcvn-40-2011-x', document: { ...shipped, id: 'qcvn-40-2011-x' }, from: null, ...by })
    const { standards, edition } = await standardsNow({ ...ports(), sources })
    expect(edition).toBe(1)
    expect(standards.law.spanAt(STATION, 'COD', at('2026-11-05')).limits[0]?.basis.regulation).toBe('qcvn-40-2011-x')
  })

  it('that cannot be used is refused with every problem, and nothing is recorded', async () => {
    const preview = await desk.preview({ kind: 'permit', document: { ...permit, station: 'AG-NO', column: 'Z' } })
    expect(preview.ok ? [] : preview.problems).toEqual([
      "loaded permit P-NEW: station: unknown station 'AG-NO'",
      "loaded permit P-NEW: column: 'Z' is none: QCVN 40:2011/BTNMT has the columns A, B"
    ])
    expect(await desk.preview({ kind: 'permit', document: {} })).toEqual({ ok: false, problems: ['permit: id: it is missing'] })
  })

  it('is followed by whoever runs already', async () => {
    const read = await standardsAt(ports(), 0)
    if (!read.ok) throw new Error()
    const follower = new LawFollower(ports(), read.standards, 0)
    expect(await follower.look()).toBeNull()
    await desk.change({ kind: 'permit', document: permit }, await shown(permit), by)
    const news = await follower.look()
    expect(news?.changes.map(({ parameter }) => parameter)).toContain('COD')
    expect(read.standards.law.spanAt(STATION, 'COD', at('2026-11-05')).limits[0]?.high).toBe(67.5)
    expect(follower.edition).toBe(1)
    expect(await follower.look()).toBeNull()
    // The registry changes beneath: what held goes on holding.
    await log.record({ kind: 'permit', key: 'X', document: { id: 'X' }, from: null, ...by })
    expect((await follower.look())?.problems.length).toBeGreaterThan(0)
    expect(read.standards.law.spanAt(STATION, 'COD', at('2026-11-05')).limits[0]?.high).toBe(67.5)
  })
})
