import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { SendBuffer } from './send-buffer.js'

describe('SendBuffer', () => {
  it('hands items out oldest first, each once until it is given back', () => {
    const buffer = new SendBuffer<string>(10)
    for (const item of ['a', 'b', 'c']) buffer.push(item)
    expect([buffer.take(), buffer.take()]).toEqual(['a', 'b'])
    buffer.giveBack('a')
    expect([buffer.take(), buffer.take(), buffer.take()]).toEqual(['a', 'c', undefined])
  })

  it('drops the oldest item that is not under way when it is full', () => {
    const buffer = new SendBuffer<number>(3)
    for (const n of [1, 2, 3]) buffer.push(n)
    buffer.take()
    buffer.push(4)
    expect([buffer.take(), buffer.take(), buffer.dropped, buffer.length]).toEqual([3, 4, 1, 3])
  })

  it('loses nothing but what it dropped, and never keeps more than its capacity', () => {
    const step = fc.constantFrom('push', 'take', 'acknowledge', 'giveBack')
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 8 }), fc.array(step, { maxLength: 200 }), (capacity, steps) => {
        const buffer = new SendBuffer<number>(capacity)
        const underWay: number[] = []
        let pushed = 0
        let acknowledged = 0
        for (const what of steps) {
          const [first] = underWay
          if (what === 'push' && underWay.length < capacity) buffer.push(pushed++)
          else if (what === 'take') {
            const item = buffer.take()
            if (item !== undefined) underWay.push(item)
          } else if (what !== 'push' && first !== undefined) {
            buffer[what](first)
            underWay.shift()
            if (what === 'acknowledge') acknowledged++
          }
          expect(buffer.length).toBeLessThanOrEqual(capacity)
          expect(buffer.underWay).toBe(underWay.length)
          expect(buffer.length + buffer.dropped + acknowledged).toBe(pushed)
        }
      })
    )
  })
})
