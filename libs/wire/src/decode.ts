import type { Millis, Reading, Road, Station } from '#libs/model'
import { canonicalUnit, convert, EARLIEST, LATEST, MEASURING, parseInstant } from '#libs/model'
import type { Dialect, Given, Item, ItemProblem, Problem } from './decoders/dialect.js'
import { loggerJson } from './decoders/logger-json.js'
import { quantracJson } from './decoders/quantrac-json.js'
import type { Graded } from './grade.js'
import { grade } from './grade.js'
import type { CompiledParameter, CompiledProfile, DialectName } from './profile.js'
import type { ItemRefusal, Refusal, RefusalReason } from './refusal.js'
import { clipName, excerpt, refusal } from './refusal.js'
import { parsePayload } from './text.js'

/** Most items of a batch (design, section 6): about 83 hours of five-minute readings. */
const MAX_ITEMS = 1_000
/** Most readings of a message: twice what a batch of ten parameters has. Bounds what a payload of 256 KiB can make the server hold. */
const MAX_READINGS = 20_000

export interface Received {
  /** The server's clock when the message came in. */
  readonly receivedAt: Millis
  readonly road: Road
}

export type DecodeResult =
  | { readonly ok: true; readonly readings: readonly Reading[]; readonly refused: readonly ItemRefusal[] }
  | { readonly ok: false; readonly refusal: Refusal }

const DIALECTS: Readonly<Record<DialectName, Dialect>> = { 'quantrac-json': quantracJson, 'logger-json': loggerJson }

/**
 * The readings of one message, in its order, each graded; what had to be refused stands apart with its reason, reading by
 * reading where that can be told. Never throws, whatever the bytes are. Readings that repeat an identity are all given:
 * which one stands is the store's business.
 */
export function decodeReadings(profile: CompiledProfile, station: Station, payload: Uint8Array, received: Received): DecodeResult {
  const parsed = parsePayload(payload)
  if (!('value' in parsed)) return { ok: false, refusal: parsed }
  const message = new Message(profile, station, received)
  const whole = Array.isArray(parsed.value) ? message.addBatch(parsed.value) : message.addSingle(parsed.value)
  if (whole) return { ok: false, refusal: whole }
  const { readings, refused } = message
  return readings.length + refused.length > 0 ? { ok: true, readings, refused } : { ok: false, refusal: refusal('no-readings') }
}

/** `online` and `offline` of a status message as true and false; undefined for anything else. */
export function decodeStatus(payload: Uint8Array): boolean | undefined {
  const text = String.fromCharCode(...payload.subarray(0, 8))
  return text === 'online' ? true : text === 'offline' ? false : undefined
}

type Names = ReadonlyMap<string, CompiledParameter>
const namesOf = new WeakMap<Station, { readonly profile: CompiledProfile; readonly names: Names }>()

/** What a station may name: the profile's parameters and aliases, less what this station does not measure. */
function stationNames(profile: CompiledProfile, station: Station): Names {
  const known = namesOf.get(station)
  if (known?.profile === profile) return known.names
  const names = new Map([...profile.byName].filter(([, parameter]) => station.parameters.includes(parameter.code)))
  namesOf.set(station, { profile, names })
  return names
}

class Message {
  readonly readings: Reading[] = []
  readonly refused: ItemRefusal[] = []
  private readonly dialect: Dialect
  private readonly names: Names
  private readonly textNumbers: boolean

  constructor(
    private readonly profile: CompiledProfile,
    private readonly station: Station,
    private readonly received: Received
  ) {
    this.dialect = DIALECTS[profile.profile.dialect]
    this.names = stationNames(profile, station)
    this.textNumbers = profile.profile.textNumbers === true
  }

  /** A message that is one object: what is wrong with it as a whole is the answer. */
  addSingle(raw: unknown): Refusal | undefined {
    const item = this.readItem(raw)
    if (!isProblem(item)) return this.addItem(item)
    if (item.reason !== 'bad-revision') return refusal(item.reason, item.detail)
    return this.refuseItem(item)
  }

  /** A batch: each item stands for itself, and only their number can refuse them all. */
  addBatch(raw: readonly unknown[]): Refusal | undefined {
    if (raw.length > MAX_ITEMS) return refusal('too-many-items', `${raw.length} items`)
    for (const each of raw) {
      const item = this.readItem(each)
      const whole = isProblem(item) ? this.refuseItem(item) : this.addItem(item)
      if (whole) return whole
    }
    return undefined
  }

  private readItem(raw: unknown): (Item & { readonly instant: Millis }) | ItemProblem {
    const item = this.dialect.plainItem(raw) ?? this.dialect.checkItem(raw)
    if (isProblem(item)) return item
    const { at, revision, station, readings } = item
    if (station !== undefined && station !== this.station.code) return problemWith(item, 'wrong-station', station)
    const instant = readInstant(at, this.profile.profile.zoneOffset)
    return typeof instant === 'number' ? { at, revision, station, readings, instant } : problemWith(item, instant, at)
  }

  private addItem({ readings, revision, instant }: Item & { readonly instant: Millis }): Refusal | undefined {
    // Own keys only: JSON.parse gives objects whose inherited ones are nobody's readings.
    for (const name of Object.keys(readings)) {
      if (this.isFull()) return tooManyReadings
      this.addReading(name, readings[name], instant, revision)
    }
    return undefined
  }

  private addReading(name: string, raw: unknown, at: Millis, revision: number): void {
    const parameter = this.names.get(name)
    if (!parameter) return this.refuse(name, at, { reason: 'unknown-parameter', detail: '' })
    const given = this.dialect.plainReading(raw) ?? this.dialect.checkReading(raw, this.textNumbers)
    if (isProblem(given)) return this.refuse(name, at, given)
    const sent = given.unit === undefined || given.unit === parameter.unit ? parameter.unit : canonicalUnit(given.unit)
    const value = valueIn(parameter.unit, given.value, sent)
    if (value === undefined) return this.refuse(name, at, { reason: 'unknown-unit', detail: excerpt(given.unit) })
    // The largest numbers overflow when converted; a reading's value is always finite.
    if (!Number.isFinite(value)) return this.refuse(name, at, { reason: 'not-a-number', detail: `${given.value} ${given.unit}` })
    const reported = sent === parameter.unit ? undefined : given
    this.keep({ parameter, value, at, receivedAt: this.received.receivedAt, status: given.status, reported }, revision)
  }

  private keep(graded: Graded, revision: number): void {
    const { parameter, value, at, receivedAt, reported } = graded
    const { flag, flags } = grade(graded)
    const station = this.station.code
    const road = this.received.road
    const status = graded.status ?? MEASURING
    // Written out twice: a spread here costs more than all the rest of the reading.
    const reading: Reading = reported
      ? {
          station,
          parameter: parameter.code,
          at,
          value,
          unit: parameter.unit,
          status,
          flag,
          flags,
          revision,
          receivedAt,
          road,
          reported: sentOf(reported)
        }
      : { station, parameter: parameter.code, at, value, unit: parameter.unit, status, flag, flags, revision, receivedAt, road }
    this.readings.push(reading)
  }

  private refuse(name: string | null, at: Millis | null, { reason, detail }: Problem): void {
    this.refused.push({ parameter: name === null ? null : clipName(name), at, ...refusal(reason, detail) })
  }

  /** An item that falls as a whole takes its readings with it, one by one, so that what came in can be counted. */
  private refuseItem(problem: ItemProblem): Refusal | undefined {
    const instant = readInstant(problem.at, this.profile.profile.zoneOffset)
    const at = typeof instant === 'number' ? instant : null
    for (const name of problem.names.length === 0 ? [null] : problem.names) {
      if (this.isFull()) return tooManyReadings
      this.refuse(name, at, problem)
    }
    return undefined
  }

  private isFull(): boolean {
    return this.readings.length + this.refused.length >= MAX_READINGS
  }
}

const tooManyReadings = refusal('too-many-readings')

const isProblem = <P extends Problem>(value: object | P): value is P => 'reason' in value

const problemWith = ({ at, readings }: Item, reason: RefusalReason, found: unknown): ItemProblem => ({
  reason,
  detail: excerpt(found),
  at,
  names: Object.keys(readings)
})

const WITHOUT_ZONE = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?$/

function readInstant(at: unknown, zoneOffset: string | undefined): Millis | 'no-zone' | 'bad-instant' {
  if (typeof at === 'number') return Number.isInteger(at) && at >= EARLIEST && at < LATEST ? at : 'bad-instant'
  if (typeof at !== 'string') return 'bad-instant'
  const instant = parseInstant(at)
  if (instant !== undefined) return instant
  if (!WITHOUT_ZONE.test(at)) return 'bad-instant'
  return zoneOffset === undefined ? 'no-zone' : (parseInstant(at + zoneOffset) ?? 'bad-instant')
}

/** Twelve digits: more than any sensor has, and what is left of 0.1 + 0.2 is gone. */
const withoutNoise = (value: number): number => Number(value.toPrecision(12))

/** `value` of canonical unit `sent` in `unit`; undefined where there is no way from one to the other. */
function valueIn(unit: string, value: number, sent: string | undefined): number | undefined {
  if (sent === unit) return value + 0 // makes 0 of -0
  const converted = sent === undefined ? undefined : convert(value, sent, unit)
  return converted === undefined ? undefined : withoutNoise(converted) + 0
}

const sentOf = ({ value, unit }: Given): { value: number; unit: string } => ({ value, unit: unit ?? '' })
