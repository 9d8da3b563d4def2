/** Time of the tests: `node dist/libs/quality/bench/evaluate.js [days]`. All of them are on; prints nanoseconds a reading, asserts nothing. */
import { HOUR, MINUTE } from '#libs/model'
import type { Plan, QualityReading } from '../src/index.js'
import { evaluate, reach } from '../src/index.js'

const DAYS = Number(process.argv[2] ?? 365)
const EVERY = 5 * MINUTE
const BEGIN = Date.UTC(2026, 0, 1)

const everything: Plan = {
  parameter: 'COD',
  unit: 'mg/L',
  every: EVERY,
  maxStep: 3 * EVERY,
  grossRange: { fail: [0, 1_000], suspect: [5, 500] },
  climatology: [{ period: 'month', time: [1, 12], span: [10, 90] }],
  spike: { suspect: 10, fail: 40 },
  rateOfChange: { suspect: 0.05 },
  rateOfChangeSigmas: { sigmas: 3, window: 25 * HOUR, minPoints: 12 },
  flatLine: { suspect: 4, fail: 6, tolerance: 0.01 },
  attenuated: { window: 12 * HOUR, suspect: 1, fail: 0.1, type: 'std', minPoints: 72 },
  rules: [
    { id: 'bod-below-cod', kind: 'less-than', lesser: 'BOD5', greater: 'COD', margin: 0 },
    { id: 'still-flow', kind: 'still-flow', flow: 'Flow', parameter: 'COD', within: 0.1, change: 20, window: 2 * HOUR, minPoints: 3 }
  ]
}

/** A wave of the day with noise; a fault now and then. */
const series = (days: number, valueAt: (n: number) => number): QualityReading[] =>
  Array.from({ length: (days * 24 * HOUR) / EVERY }, (_, n) => ({
    at: BEGIN + n * EVERY,
    value: valueAt(n),
    status: n % 500 === 499 ? '02' : '00',
    flag: n % 500 === 499 ? 4 : 1,
    flags: []
  }))

const wave = (n: number): number => 50 + 20 * Math.sin((n * 2 * Math.PI) / 288) + 3 * Math.sin(n * 1.7) + Math.cos(n * 12.9898)

function measure(name: string, plan: Plan, readings: readonly QualityReading[], others: ReadonlyMap<string, QualityReading[]>): void {
  let best = Number.POSITIVE_INFINITY
  let flagged = 0
  for (let round = 0; round < 5; round++) {
    const start = performance.now()
    flagged = evaluate(plan, readings, others).filter(({ flag }) => flag > 2).length
    best = Math.min(best, performance.now() - start)
  }
  console.log(
    `${name.padEnd(34)} ${((best * 1e6) / readings.length).toFixed(0).padStart(7)} ns a reading, ${flagged} of ${readings.length} flagged`
  )
}

function main(): void {
  const readings = series(DAYS, wave)
  const others = new Map([
    ['BOD5', series(DAYS, n => wave(n) * 0.5)],
    ['Flow', series(DAYS, n => (n % 40 < 6 ? 0 : 30))]
  ])
  const none = new Map<string, QualityReading[]>()
  const { grossRange, climatology, spike, rateOfChange, rateOfChangeSigmas, flatLine, attenuated, ...plain } = everything
  const alone = { ...plain, rules: [] }
  measure('all tests', everything, readings, others)
  measure(
    'all tests, a constant series',
    everything,
    series(DAYS, () => 50.1),
    others
  )
  measure('no test', alone, readings, none)
  const tests = { grossRange, climatology, spike, rateOfChange, rateOfChangeSigmas, flatLine, attenuated }
  for (const [name, settings] of Object.entries(tests)) measure(name, { ...alone, [name]: settings }, readings, none)
  measure('attenuated by range', { ...alone, attenuated: { ...everything.attenuated!, type: 'range' } }, readings, none)
  measure('rules', { ...alone, rules: everything.rules }, readings, others)
  const { before, after } = reach(everything)
  const near = (all: readonly QualityReading[]): QualityReading[] => all.filter(({ at }) => at - BEGIN <= before + HOUR + after)
  const nearOthers = new Map([...others].map(([code, all]) => [code, near(all)]))
  measure('an hour with its margins', everything, near(readings), nearOthers)
}

main()
