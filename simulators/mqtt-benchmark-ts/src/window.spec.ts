import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { NOT_WAITED_FOR, Window } from './window.js'

describe('Window', () => {
  it('never uses a packet identifier twice at once and frees each slot by its own acknowledgement', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.array(fc.nat(49), { maxLength: 400 }), (size, picks) => {
        const window = new Window(size, 1)
        const open = new Map<number, number>()
        for (const pick of picks) {
          while (window.hasRoom()) {
            const number = window.next
            window.take(0)
            expect(open.has(window.packetId(number))).toBe(false)
            open.set(window.packetId(number), number)
          }
          const [id, number] = [...open][pick % open.size] as [number, number]
          const slot = window.puback(id)
          expect(window.numberIn(slot)).toBe(number)
          expect(window.puback(id)).toBe(NOT_WAITED_FOR)
          open.delete(id)
        }
        expect(window.inFlight).toBe(open.size)
      })
    )
  })

  it('goes on after packet identifier 65,530 with 1, and never uses 0', () => {
    const window = new Window(10, 1)
    expect(window.packetId(65_529)).toBe(65_530)
    expect(window.packetId(65_530)).toBe(1)
    expect(window.puback(0)).toBe(NOT_WAITED_FOR)
    expect(window.puback(65_535)).toBe(NOT_WAITED_FOR)
  })

  it('walks QoS 2 through PUBREC and PUBCOMP, each once', () => {
    const window = new Window(2, 2)
    const slot = window.take(7)
    expect(window.startedAt(slot)).toBe(7)
    expect(window.pubcomp(1)).toBe(NOT_WAITED_FOR)
    expect(window.puback(1)).toBe(NOT_WAITED_FOR)
    expect(window.pubrec(1)).toBe(slot)
    expect(window.pubrec(1)).toBe(NOT_WAITED_FOR)
    expect(window.inFlight).toBe(1)
    expect(window.pubcomp(1)).toBe(slot)
    expect(window.inFlight).toBe(0)
  })

  it('lists what a new connection sends again: PUBLISHes in their order, PUBRELs in the order of the PUBRECs', () => {
    const window = new Window(4, 2)
    for (let n = 0; n < 4; n++) window.take(0)
    window.pubrec(3)
    window.pubrec(1)
    window.pubcomp(3)
    window.pubrec(2)
    expect(window.unfinished()).toEqual({ publish: [3], release: [1, 2] })
    window.pubcomp(1)
    window.take(0)
    expect(window.unfinished()).toEqual({ publish: [3, 0], release: [2] })
  })

  it('holds no slot with QoS 0', () => {
    const window = new Window(1, 0)
    for (let n = 0; n < 5; n++) window.take(0)
    expect(window).toMatchObject({ next: 5, inFlight: 0 })
  })
})
