// Processor time per message on one thread: `npm run build && node dist/libs/wire/bench/decode.js`. Time on the clock would
// count the neighbours of a busy machine.
import type { Station } from '#libs/model'
import type { Profile, WireRecord } from '../src/index.js'
import { compileProfile, decodeReadings, decodeRecord, encodeRecord } from '../src/index.js'

const RUNS = 7
const MESSAGES = 100_000

const parameters = ['COD', 'TSS', 'NH4'].map(code => ({ code, unit: 'mg/L', min: 0, max: 500, decimals: 1 }))
const profile: Profile = {
  name: 'bench',
  title: 'Đo tốc độ',
  titleEn: 'Bench',
  dialect: 'quantrac-json',
  intervalSeconds: 300,
  parameters: [...parameters, { code: 'pH', unit: '-', min: 0, max: 14, decimals: 2 }]
}
const station: Station = {
  code: 'AG-KCN-BINHHOA-01',
  name: 'Bình Hòa',
  kind: 'wastewater',
  profile: 'bench',
  zone: 'Bình Hòa',
  agency: 'Sở Nông nghiệp và Môi trường',
  position: { longitude: 105.3, latitude: 10.5 },
  parameters: ['COD', 'TSS', 'NH4', 'pH'],
  example: true
}
const received = { receivedAt: Date.UTC(2026, 10, 24, 3, 5, 2), road: 'mqtt' as const }

const at = '2026-11-24T10:05:00+07:00'
const bare = {
  at,
  readings: { COD: 82.1, TSS: 31.25, NH4: 3.48, pH: 7.12 },
  seq: 1734,
  fw: '2.4.1',
  link: '4G',
  rssi: -71,
  battery: 12.61,
  door: 'closed',
  site: 'BINHHOA-A'
}
const measured = (value: number, unit: string): object => ({ value, unit, status: '00' })
const full = {
  at,
  readings: { COD: measured(82.1, 'mg/L'), TSS: measured(31.25, 'mg/L'), NH4: measured(3.48, 'mg/L'), pH: measured(7.12, '-') },
  seq: 1734
}
const converted = {
  at,
  readings: { COD: measured(0.0821, 'g/L'), TSS: measured(0.03125, 'g/L'), NH4: measured(3480, 'ug/L'), pH: measured(7.12, 'pH') },
  seq: 1734
}
const wrong = { at, readings: { COD: '82.1', TSS: measured(31.25, 'furlong'), NH4: null, XYZ: 7 }, seq: 1734 }

let sink = 0
const compiled = compileProfile(profile)
const bytesOf = (value: object): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

function bench(name: string, once: () => unknown): void {
  const runs: number[] = []
  for (let run = 0; run < RUNS; run++) {
    const begun = process.cpuUsage()
    for (let i = 0; i < MESSAGES; i++) if (once() !== undefined) sink++
    const { user, system } = process.cpuUsage(begun)
    runs.push((user + system) / MESSAGES)
  }
  const [best, median] = [Math.min(...runs), [...runs].sort((a, b) => a - b)[RUNS >> 1] as number]
  console.log(`${name.padEnd(44)} best ${best.toFixed(2)} us, median ${median.toFixed(2)} us`)
}

const warm = [bare, full, converted, wrong].map(bytesOf)

function roundTrip(payload: Uint8Array): void {
  const result = decodeReadings(compiled, station, payload, received)
  if (!result.ok) throw new Error(result.refusal.reason)
  const { readings, refused } = result
  const { head, body } = encodeRecord({ kind: 'readings', station: station.code, ...received, qos: 1, readings, refused, payload })
  if (decodeRecord(head, body).station === station.code) sink++
}

function benchShape(name: string, value: object): void {
  const payload = bytesOf(value)
  const text = JSON.stringify(value)
  bench(`${name} (${payload.length} bytes): JSON.parse alone`, () => JSON.parse(text))
  bench(`${name}: decodeReadings`, () => decodeReadings(compiled, station, payload, received))
  const result = decodeReadings(compiled, station, payload, received)
  if (!result.ok) throw new Error(result.refusal.reason)
  const record: WireRecord = {
    kind: 'readings',
    station: station.code,
    ...received,
    qos: 1,
    readings: result.readings,
    refused: result.refused,
    payload
  }
  const { head, body } = encodeRecord(record)
  bench(`${name}: encodeRecord (head ${head.length} bytes)`, () => encodeRecord(record))
  bench(`${name}: decodeRecord`, () => decodeRecord(head, body))
}

// A server has seen every shape before: so has the compiler, before anything is measured.
for (let i = 0; i < 20_000; i++) for (const value of warm) roundTrip(value)

benchShape('bare values', bare)
benchShape('values with unit and status', full)
benchShape('units converted', converted)
benchShape('wrong values', wrong)
console.log(`(${sink} results)`)
