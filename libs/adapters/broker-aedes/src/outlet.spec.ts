import { Duplex } from 'node:stream'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Outlet } from './outlet.js'

/** What reaches the other side, write by write. */
function openSink(highWaterMark = 1 << 20): { stream: Duplex; writes: Buffer[]; take: () => void } {
  const writes: Buffer[] = []
  const taken: (() => void)[] = []
  const stream = new Duplex({
    highWaterMark,
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      writes.push(Buffer.from(chunk))
      taken.push(done)
    }
  })
  return { stream, writes, take: () => taken.splice(0).forEach(done => done()) }
}
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

describe('the outlet', () => {
  it('makes one write of the small writes of a tick', async () => {
    const { stream, writes } = openSink()
    new Outlet(stream, 1 << 20, () => undefined)
    for (let n = 0; n < 100; n++) stream.write(Buffer.from([0x40, 2, 0, n]))
    await turn()
    expect(writes.map(write => write.length)).toEqual([400])
  })

  it('changes neither bytes nor order, whatever is written', async () => {
    const chunk = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 300 }),
      fc.uint8Array({ maxLength: 300 }),
      fc.constant(new Uint8Array(9_000).fill(7))
    )
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(chunk, { maxLength: 12 }), { maxLength: 5 }), async ticks => {
        const { stream, writes, take } = openSink()
        new Outlet(stream, 1 << 30, () => undefined)
        for (const chunks of ticks) {
          for (const each of chunks) stream.write(each)
          await turn()
        }
        while (stream.writableLength > 0) {
          take()
          await turn()
        }
        const wanted = Buffer.concat(ticks.flat().map(each => Buffer.from(each as string)))
        expect(Buffer.concat(writes).equals(wanted)).toBe(true)
      })
    )
  })

  it('says when the peer does not follow, and gives up above the limit', async () => {
    const { stream } = openSink(1_000)
    let overflows = 0
    new Outlet(stream, 5_000, () => overflows++)
    stream.write(Buffer.alloc(2_000))
    await turn()
    expect(stream.write(Buffer.alloc(2_000))).toBe(false)
    await turn()
    expect(overflows).toBe(0)
    stream.write(Buffer.alloc(2_000))
    await turn()
    expect(overflows).toBe(1)
  })

  it('sends what is left before it is destroyed', () => {
    const { stream, writes } = openSink()
    new Outlet(stream, 1_000, () => undefined)
    stream.write(Buffer.from('last words'))
    stream.destroy()
    expect(Buffer.concat(writes).toString()).toBe('last words')
    expect(stream.write(Buffer.from('too late'))).toBe(true)
  })
})
