import { type PublishFrame, publishFrame, type Qos } from './frames.js'

/** How the messages of one connection look: equal in length, made once, changed in place. */
export interface MessageShape {
  readonly frame: PublishFrame
  /** Writes what is of message `number` alone over the payload that begins at `payloadAt`. */
  patch(bytes: Buffer, payloadAt: number, number: number): void
}

export interface ShapeOptions {
  readonly topic: string
  readonly qos: Qos
  /** `quantrac`, or a payload of so many bytes. */
  readonly payload: 'quantrac' | { readonly bytes: number }
  /** Parameters of a quantrac payload, 1 to 7. */
  readonly parameters: number
  /** The clock that `at` follows, in epoch milliseconds; `at` never stands still, so it may run ahead of it. */
  readonly clock: () => number
}

const SEQUENCE_WIDTH = 10
const AT_WIDTH = 13
const ZERO = 48
const SPACE = 32

/** The parameters of a discharge monitor with a plausible value; the last digit changes with every message. */
const VALUES: readonly (readonly [string, string])[] = [
  ['COD', '52.1'],
  ['pH', '7.1'],
  ['TSS', '40.2'],
  ['Temp', '28.4'],
  ['Flow', '126.5'],
  ['Color', '31.6'],
  ['NH4', '3.7']
]
export const MOST_PARAMETERS = VALUES.length

/** `value` right-aligned in `width` bytes, blanks before it: JSON allows blanks before a number, but no zeros. */
export function writeNumber(bytes: Buffer, offset: number, width: number, value: number): void {
  let rest = value
  let at = offset + width - 1
  do {
    const quotient = Math.floor(rest / 10)
    bytes[at--] = ZERO + (rest - quotient * 10)
    rest = quotient
  } while (rest > 0 && at >= offset)
  while (at >= offset) bytes[at--] = SPACE
}

export const makeShape = (options: ShapeOptions): MessageShape =>
  options.payload === 'quantrac' ? quantracShape(options) : sizedShape(options, options.payload.bytes)

/** One message with readings as design section 6 has it: about 200 bytes with 4 parameters, `at` unique on its connection. */
function quantracShape({ topic, qos, parameters, clock }: ShapeOptions): MessageShape {
  const readings = VALUES.slice(0, parameters).map(([code, value]) => `"${code}":{"value":${value},"status":"00"}`)
  const at = '0'.repeat(AT_WIDTH)
  const text = `{"at":${at},"readings":{${readings.join(',')}},"seq":${' '.repeat(SEQUENCE_WIDTH - 1)}0}`
  const digits = [...text.matchAll(/\d(?=,"status")/g)].map(match => match.index)
  const atOffset = text.indexOf(at)
  const sequenceOffset = text.length - 1 - SEQUENCE_WIDTH
  const nextAt = strictlyRising(clock)
  return {
    frame: publishFrame(topic, Buffer.from(text), qos),
    patch(bytes, payloadAt, number) {
      writeNumber(bytes, payloadAt + atOffset, AT_WIDTH, nextAt())
      writeNumber(bytes, payloadAt + sequenceOffset, SEQUENCE_WIDTH, number)
      const digit = ZERO + (number % 10)
      for (const offset of digits) bytes[payloadAt + offset] = digit
    }
  }
}

/** The identity of a reading is (station, parameter, at): two messages of one station never share an instant. */
function strictlyRising(clock: () => number): () => number {
  let last = 0
  return () => {
    last = Math.max(last + 1, clock())
    return last
  }
}

/** Exactly so many bytes: JSON with the sequence where there is room for it, else filling alone. */
function sizedShape({ topic, qos }: ShapeOptions, size: number): MessageShape {
  const head = `{"seq":${' '.repeat(SEQUENCE_WIDTH - 1)}0,"fill":"`
  const room = size - head.length - 2
  const text = room < 0 ? 'x'.repeat(size) : `${head}${'x'.repeat(room)}"}`
  return {
    frame: publishFrame(topic, Buffer.from(text), qos),
    patch(bytes, payloadAt, number) {
      if (room >= 0) writeNumber(bytes, payloadAt + 7, SEQUENCE_WIDTH, number)
    }
  }
}
