import type { Reading, Station } from '#libs/model'
import { MINUTE, PARAMETERS } from '#libs/model'
import { AlarmRules, compileRules, Engine } from '../src/index.js'

/**
 * Microseconds per reading of the alarm engine: 2,000 series under 4 rules each, as messages of 4 readings. Prints figures and asserts
 * nothing. `node dist/libs/alarms/bench/engine.bench.js`
 */
const STATIONS = 500
const CODES = ['COD', 'TSS', 'NH4', 'pH']
const RULES_EACH = 4
const ROUNDS = 1_500
const START = Date.UTC(2026, 10, 1)

function stationOf(index: number): Station {
  const code = `AG-${String(index).padStart(4, '0')}`
  const place = { zone: 'bench', agency: 'bench', position: { longitude: 105, latitude: 10 } }
  return { code, name: code, kind: 'wastewater', profile: 'discharge-monitor', ...place, parameters: CODES, example: true }
}

function rulesOf(): AlarmRules {
  const rules = CODES.flatMap(parameter =>
    Array.from({ length: RULES_EACH }, (_, index) => {
      const unit = PARAMETERS.find(p => p.code === parameter)?.unit ?? '-'
      return {
        id: `${parameter.toLowerCase()}-${index}`,
        parameter,
        kinds: ['wastewater'],
        high: 90 + index * 10,
        low: 1,
        unit,
        source: 'bench'
      }
    })
  )
  return AlarmRules.parse({ rules })
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
interface Message {
  readonly station: string
  receivedAt: number
  readonly readings: Mutable<Reading>[]
}

/** Made once and changed in place, so that the figures are the engine's and not the collector's for the bench's litter. */
function messageOf(station: string): Message {
  const common = { station, at: START, value: 0.5, status: '00', flag: 1, flags: [], revision: 0, receivedAt: START, road: 'mqtt' } as const
  return {
    station,
    receivedAt: START,
    readings: CODES.map(parameter => ({ ...common, parameter, unit: parameter === 'pH' ? '-' : 'mg/L' }))
  }
}

function setMessage(message: Message, at: number, value: number): void {
  message.receivedAt = at
  for (const reading of message.readings) {
    reading.at = at
    reading.value = value
  }
}

/** CPU time of the whole process, collector included: other programs on the machine do not count. */
const cpuMillis = (): number => (process.cpuUsage().user + process.cpuUsage().system) / 1_000

function print(name: string, micros: number, note = ''): void {
  console.log(
    `${name.padEnd(46)} ${micros.toFixed(3).padStart(8)} us/reading ${(1_000 / micros).toFixed(0).padStart(8)} thousand/s  ${note}`
  )
}

function measure(name: string, readings: number, work: () => void): void {
  const before = cpuMillis()
  work()
  print(name, ((cpuMillis() - before) * 1_000) / readings)
}

function main(): void {
  const stations = Array.from({ length: STATIONS }, (_, index) => stationOf(index))
  const compiled = compileRules(rulesOf(), stations)
  if (!compiled.ok) throw new Error(compiled.problems.join('\n'))
  let engine = new Engine(compiled.rules)
  let sequence = 0
  const messages = stations.map(station => messageOf(station.code))
  const feed = (name: string, atMinutes: readonly number[], value: (station: number, minute: number) => number) => {
    let transitions = 0
    const before = cpuMillis()
    for (const minute of atMinutes) {
      messages.forEach((message, index) => {
        setMessage(message, START + minute * MINUTE, value(index, minute))
        transitions += engine.apply(++sequence, message).length
      })
    }
    const micros = ((cpuMillis() - before) * 1_000) / (atMinutes.length * STATIONS * CODES.length)
    print(name, micros, `${transitions} transitions`)
  }
  const rounds = (from: number, count: number, offset = 0) => Array.from({ length: count }, (_, index) => (from + index) * 5 + offset)
  feed('quiet, in order', rounds(0, ROUNDS), station => 20 + (station % 7))
  feed('quiet, late by ten readings', rounds(ROUNDS - 20, 10, 1), () => 50)
  feed('quiet, late by 400 readings', rounds(ROUNDS - 400, 10, 1), () => 50)
  feed('quiet, repeats', rounds(ROUNDS - 400, 10), station => 20 + (station % 7))
  feed('in a band all the time, in order', rounds(ROUNDS, 100), () => 95)
  feed('raised and cleared every ten readings', rounds(ROUNDS + 100, 100), (_, minute) => (minute % 50 < 25 ? 120 : 20))
  feed('the same, late by ten readings', rounds(ROUNDS + 180, 10, 1), () => 50)
  const kept = engine.stats().windowReadings
  let bytes: Uint8Array = new Uint8Array()
  measure(`serialize ${kept} readings`, kept, () => (bytes = engine.serialize()))
  measure(`restore ${(bytes.length / 2 ** 20).toFixed(1)} MiB`, kept, () => (engine = Engine.restore(bytes)))
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  console.log(`memory: heap ${(heapUsed / 2 ** 20).toFixed(0)} MiB, typed arrays ${(arrayBuffers / 2 ** 20).toFixed(0)} MiB`)
}

main()
