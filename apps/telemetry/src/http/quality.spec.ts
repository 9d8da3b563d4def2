import { describe, expect, it } from '@jest/globals'
import { DqiSettings } from '#libs/dqi'
import type { Reading, Station, StationKind } from '#libs/model'
import { DAY, HOUR, MINUTE } from '#libs/model'
import type { Refusal } from '#libs/pipeline'
import type { CompiledProfile } from '#libs/wire'
import type { QualitySources } from './quality-counts.js'
import { readingsIn } from './quality-counts.js'
import type { QualityDay, QualityQuery } from './quality-days.js'
import { QualityDays } from './quality-days.js'
import type { LostPoint, LostQuery } from './quality-lost.js'
import { QualityLost } from './quality-lost.js'

const MIDNIGHT = Date.UTC(2026, 10, 23, 17) // of UTC+7
const INTERVAL = HOUR

const stationOf = (code: string, kind: StationKind, parameters: readonly string[]): Station => ({
  ...{ code, name: code, kind, profile: 'hourly', zone: 'Z', agency: 'A', position: { longitude: 105, latitude: 10 } },
  ...{ parameters, example: true }
})

const readingOf = (station: string, parameter: string, at: number): Reading => ({
  ...{ station, parameter, at, value: 1, unit: 'mg/L', status: '00', flag: 1, flags: [], revision: 0 },
  ...{ receivedAt: at + 1_000, road: 'mqtt' }
})

interface World {
  readonly stations: readonly Station[]
  readonly readings?: readonly Reading[]
  /** By station and day, what the ledger counted as measured. */
  readonly measured?: (day: number) => { station: string; stored: number }[]
  readonly covered?: readonly string[]
  readonly refused?: Readonly<Record<string, number>>
  readonly now?: number
}

function sourcesOf(world: World): QualitySources {
  const { stations, readings = [], measured = () => [], covered = [], refused = {}, now = MIDNIGHT + 2 * DAY } = world
  const range = async (query: { station: string; parameter: string; from: number; to: number }) =>
    readings.filter(r => r.station === query.station && r.parameter === query.parameter && r.at >= query.from && r.at < query.to)
  const receipts = (day: number) => Object.entries(refused).map(([station, count]) => ({ station, day, refused: { 'not-json': count } }))
  const pages = {
    firstDay: async () => MIDNIGHT,
    day: async (day: number) => receipts(day).map(each => ({ receipts: each, outcomes: { conflicts: 0 } })),
    measured: async (day: number) => measured(day),
    covered: async () => covered.map(parameter => ({ station: 'A', parameter, covered: [1, 2] }))
  } as unknown as QualitySources['pages']
  const profileOf = () => ({ intervalMillis: INTERVAL }) as CompiledProfile
  const byCode = new Map(stations.map(each => [each.code, each]))
  const settings = DqiSettings.parse({})
  return { stations: { all: stations, byCode, profileOf }, pages, readingsOf: readingsIn({ range }), settings, clock: () => now }
}

const daysOf = (world: World, query: Partial<QualityQuery> = {}) => new QualityDays(sourcesOf(world)).page({ limit: 100, ...query })

async function allOf(world: World, query: Partial<QualityQuery>): Promise<{ days: QualityDay[]; pages: number }> {
  const quality = new QualityDays(sourcesOf(world))
  const days: QualityDay[] = []
  let after: string | undefined
  for (let pages = 1; ; pages++) {
    const page = await quality.page({ limit: 100, ...query, after })
    days.push(...page.days)
    if (page.next === null) return { days, pages }
    after = page.next
  }
}

const MANY = Array.from({ length: 300 }, (_, n) => `P${n}`)
const hours = (station: string, from: number, count: number): Reading[] =>
  Array.from({ length: count }, (_, n) => readingOf(station, 'COD', from + n * HOUR))

describe('days of data quality', () => {
  it('end a page where it would look at too much, and nothing is left out or told twice', async () => {
    const stations = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'].map(code => stationOf(code, 'wastewater', MANY))
    const { days, pages } = await allOf({ stations }, { group: 'station' })
    expect(pages).toBe(4) // 300 series each: six stations are 1,800
    expect(days.map(({ day, station }) => `${(day - MIDNIGHT) / DAY}${station}`).join(' ')).toBe(
      '0A 0B 0C 0D 0E 0F 0G 0H 1A 1B 1C 1D 1E 1F 1G 1H 2A 2B 2C 2D 2E 2F 2G 2H'
    )
  })

  it('of a kind that no answer can read through are refused', async () => {
    const many = Array.from({ length: 20_001 }, (_, n) => `P${n}`)
    await expect(daysOf({ stations: [stationOf('A', 'stack', many)] })).rejects.toMatchObject({ problem: { code: 'QT_QUALITY_TOO_WIDE' } })
  })

  it('take a reading at midnight for the day that begins, and of a running day what is over', async () => {
    const world = { stations: [stationOf('A', 'stack', ['COD'])], readings: hours('A', MIDNIGHT, 25), now: MIDNIGHT + DAY + 150 * MINUTE }
    const { days } = await daysOf(world)
    expect(days.map(({ quality }) => quality.criteria.complete)).toMatchObject([
      { ok: 24, total: 24 },
      { ok: 1, total: 2 }
    ])
  })

  it('of a kind are the sum of its stations’, each with what was refused of it', async () => {
    const stations = ['A', 'B'].map(code => stationOf(code, 'pond', ['COD']))
    const readings = [...hours('A', MIDNIGHT, 24), ...hours('B', MIDNIGHT, 12)]
    const world = { stations, readings, refused: { A: 2, B: 4, '': 9, UNKNOWN: 9 }, now: MIDNIGHT + DAY - 1 }
    const [whole] = (await daysOf(world)).days
    expect(whole).toMatchObject({ kind: 'pond', station: null, stations: 2, series: 2, lost: { refused: 6 } })
    expect(whole?.quality.criteria).toMatchObject({ complete: { ok: 35, total: 46 }, clean: { ok: 36, total: 42 } })
    expect(whole?.parts.map(({ name }) => name)).toEqual(['B', 'A'])
    const each = (await daysOf(world, { group: 'station' })).days
    expect(each.map(({ quality }) => quality.criteria.clean)).toMatchObject([
      { ok: 24, total: 26 },
      { ok: 12, total: 16 }
    ])
  })

  it('leave out stations whose readings are not kept any more: they are not red, nobody can tell', async () => {
    const stations = ['A', 'B'].map(code => stationOf(code, 'pond', ['COD']))
    const world = { stations, readings: hours('B', MIDNIGHT, 24), measured: () => [{ station: 'A', stored: 24 }], now: MIDNIGHT + DAY - 1 }
    expect((await daysOf(world)).days).toMatchObject([{ stations: 2, notKept: 1, quality: { band: 'green' } }])
    const [gone] = (await daysOf(world, { station: 'A' })).days
    expect(gone).toMatchObject({ notKept: 1, quality: { state: 'no-data', dqi: null }, parts: [] })
    const lost = new QualityLost(sourcesOf({ ...world, covered: ['COD'] }), { list: async () => ({ items: [], next: null }) })
    const page = await lost.page(stations[0] as Station, { parameter: 'COD', day: MIDNIGHT, limit: 10 })
    expect(page).toMatchObject({ isKept: false, quality: { state: 'no-data' }, items: [] })
  })
})

describe('lost points of a series', () => {
  const station = stationOf('A', 'pond', ['COD'])
  const refusalOf = (sequence: number, detail: string, more: Partial<Refusal> = {}): Refusal => ({
    ...{ sequence, receivedAt: MIDNIGHT + sequence * MINUTE, station: 'A', road: 'mqtt', topic: 't', reason: 'not-a-number', detail },
    ...{ parameter: 'COD', at: null, payload: new Uint8Array(), payloadBytes: 0 },
    ...more
  })
  /** As the list gives them: newest first, a page at a time. */
  const listOf = (refusals: readonly Refusal[]) => ({
    list: async ({ limit, after }: { limit: number; after?: string }) => {
      const from = Number(after ?? 0)
      const next = from + limit < refusals.length ? String(from + limit) : null
      return { items: refusals.slice(from, from + limit), next }
    }
  })
  const ask = (refusals: readonly Refusal[], query: Partial<LostQuery>) => {
    const sources = sourcesOf({ stations: [station], readings: hours('A', MIDNIGHT, 24), refused: { A: 1 } })
    return new QualityLost(sources, listOf(refusals)).page(station, { parameter: 'COD', day: MIDNIGHT, limit: 100, ...query })
  }
  const detailOf = ({ what }: LostPoint): string => (what.kind === 'refused' ? what.refusal.detail : what.kind)

  it('tell refusals of one message apart from page to page', async () => {
    const refusals = [refusalOf(9, 'e'), ...['d', 'c', 'b'].map(detail => refusalOf(7, detail)), refusalOf(5, 'a')]
    const found: string[] = []
    let after: string | undefined
    do {
      const page = await ask(refusals, { limit: 2, after })
      found.push(...page.items.map(detailOf))
      after = page.next ?? undefined
    } while (after !== undefined)
    expect(found).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it('are those of the day, of the series or of a whole message', async () => {
    const other = refusalOf(8, 'other', { parameter: 'pH' })
    const later = refusalOf(9, 'later', { receivedAt: MIDNIGHT + DAY })
    const before = refusalOf(1, 'before', { receivedAt: MIDNIGHT - 1 })
    const { items, refusalsListed } = await ask(
      [later, other, refusalOf(7, 'whole', { parameter: null }), refusalOf(6, 'mine'), before],
      {}
    )
    expect([items.map(detailOf), refusalsListed]).toEqual([['mine', 'whole'], true])
  })

  it('say so where more refusals came since than are looked through', async () => {
    const later = Array.from({ length: 2_000 }, (_, n) => refusalOf(5_000 - n, 'later'))
    const { items, refusalsListed } = await ask([...later, refusalOf(7, 'mine')], {})
    expect([items.map(detailOf), refusalsListed]).toEqual([[], false])
  })
})
