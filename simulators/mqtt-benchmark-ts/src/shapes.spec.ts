import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { makeShape, type ShapeOptions, writeNumber } from './shapes.js'

const options: ShapeOptions = {
  topic: 'quantrac/v1/A1/readings',
  qos: 1,
  payload: 'quantrac',
  parameters: 4,
  clock: () => 1_764_000_000_000
}

function payloads(shape: ReturnType<typeof makeShape>, count: number): string[] {
  const { bytes, payloadOffset } = shape.frame
  return Array.from({ length: count }, (_, number) => {
    shape.patch(bytes, payloadOffset, number)
    return bytes.toString('utf8', payloadOffset)
  })
}

describe('shapes', () => {
  it('writes any number right-aligned with blanks before it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9_999_999_999_999 }), value => {
        const bytes = Buffer.from('#'.repeat(15))
        writeNumber(bytes, 1, 13, value)
        expect(bytes.toString()).toBe(`#${String(value).padStart(13)}#`)
      })
    )
  })

  it('makes a quantrac message of about 200 bytes whose sequence and instant are its own', () => {
    const shape = makeShape(options)
    const texts = payloads(shape, 1_002)
    const messages = texts.map(
      text => JSON.parse(text) as { at: number; seq: number; readings: Record<string, { value: number; status: string }> }
    )
    expect(texts[0]?.length).toBeGreaterThan(180)
    expect(texts[0]?.length).toBeLessThan(220)
    expect(messages.map(m => m.seq)).toEqual(messages.map((_, n) => n))
    expect(messages.map(m => m.at)).toEqual(messages.map((_, n) => 1_764_000_000_000 + n))
    expect(messages[1_001]?.readings).toEqual({
      COD: { value: 52.1, status: '00' },
      pH: { value: 7.1, status: '00' },
      TSS: { value: 40.1, status: '00' },
      Temp: { value: 28.1, status: '00' }
    })
  })

  it.each([1, 7])('has %i parameters when asked', parameters => {
    const [text] = payloads(makeShape({ ...options, parameters }), 1)
    expect(Object.keys((JSON.parse(text as string) as { readings: object }).readings)).toHaveLength(parameters)
  })

  it.each([1, 30, 31, 200, 10_000])('makes a payload of exactly %i bytes', bytes => {
    const [, second] = payloads(makeShape({ ...options, payload: { bytes } }), 2)
    expect(second).toHaveLength(bytes)
    if (bytes >= 31) expect(JSON.parse(second as string)).toMatchObject({ seq: 1 })
  })
})
