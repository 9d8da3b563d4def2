import type { Aggregate } from '#libs/aggregates'
import { DAY, HOUR } from '#libs/model'
import { loadRegistry } from '#libs/platform'
import { explain } from '#libs/regulation'
import { LawDesk, readStandards } from '../src/index.js'

/** What a verdict costs, with its explanation; and looking through a year of one station when its permit is to change. */
const STATION = 'AG-KCN-BINHHOA-01'
const ROUNDS = 200_000
const YEAR = 365
const START = Date.UTC(2025, 10, 24, 17)

const { rules, law, stations } = await loadRegistry('devices/registry', 'devices')
const read = readStandards({ rules, law }, stations)
if (!read.ok) throw new Error(read.problems.join('\n'))
const { standards } = read

const question = { station: STATION, parameter: 'COD', at: START, value: 82.1, unit: 'mg/L', window: 'reading' as const }
const us = (began: number, rounds: number): string => ((1_000 * (performance.now() - began)) / rounds).toFixed(2)

let began = performance.now()
for (let i = 0; i < ROUNDS; i++) standards.judge({ ...question, value: i % 120 })
console.log(`verdict us ${us(began, ROUNDS)}`)

began = performance.now()
for (let i = 0; i < ROUNDS / 10; i++) {
  const asked = { ...question, value: i % 120 }
  const { legal } = standards.judge(asked)
  if (legal) explain(asked, legal, { count: 1, start: START, end: START }, 'vi')
}
console.log(`verdict with its explanation us ${us(began, ROUNDS / 10)}`)

function yearOf(parameter: string, period: 'hour' | 'day'): Aggregate[] {
  const step = period === 'hour' ? HOUR : DAY
  return Array.from({ length: (YEAR * DAY) / step }, (_, n) => {
    const end = START + (n + 1) * step
    return {
      station: STATION,
      parameter,
      period,
      start: end - step,
      end,
      mean: n % 100,
      unit: parameter === 'pH' ? '-' : 'mg/L'
    } as Aggregate
  })
}
const published = new Map(
  ['COD', 'TSS', 'NH4', 'pH'].flatMap(code => (['hour', 'day'] as const).map(period => [`${code}/${period}`, yearOf(code, period)]))
)
const aggregates = {
  find: async ({ parameter, period, from, to, limit }: { parameter: string; period: string; from: number; to: number; limit: number }) => {
    const all = published.get(`${parameter}/${period}`) ?? []
    const first = all.findIndex(({ end }) => end > from)
    return first < 0 ? [] : all.slice(first, first + limit).filter(({ end }) => end <= to)
  }
}
const log = { edition: async () => 0, standing: async () => [], record: () => Promise.reject(new Error('a bench records nothing')) }
const document = {
  ...{ id: 'BENCH', station: STATION, document: 'bench', regulation: 'qcvn-40-2011', column: 'A', kq: 0.9, kf: 1 },
  ...{ operatingSince: '2015-01-01', validFrom: '2025-11-25' }
}
began = performance.now()
const preview = await new LawDesk({ law: log, sources: { rules, law }, stations }, aggregates).preview({ kind: 'permit', document })
if (!preview.ok) throw new Error(preview.problems.join('\n'))
const { looked, changed } = preview.rejudgement
console.log(
  `a permit changed a year back, 4 parameters: looked at ${looked} means, ${changed} with another verdict, ms ${Math.round(performance.now() - began)}`
)
