import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { InOrder } from './in-order.js'

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

describe('answers in order', () => {
  it('each once, in the order of arrival, up to the first failure and nothing after it', async () => {
    const work = fc.array(fc.record({ settles: fc.nat(), fails: fc.boolean() }), { maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(work, async jobs => {
        const answers: string[] = []
        const queue = new InOrder()
        const settle: (() => void)[] = []
        jobs.forEach(({ fails }, n) => {
          const job = new Promise<void>((resolve, reject) => settle.push(fails ? () => reject(new Error('x')) : resolve))
          queue.add(job, 10, error => answers.push(`${n}${error ? ' failed' : ''}`))
        })
        const order = jobs.map((job, n) => ({ ...job, n })).sort((one, other) => one.settles - other.settles)
        for (const { n } of order) {
          settle[n]?.()
          await turn()
        }
        const failure = jobs.findIndex(({ fails }) => fails)
        const answered =
          failure === -1 ? jobs.map((_, n) => `${n}`) : [...jobs.slice(0, failure).map((_, n) => `${n}`), `${failure} failed`]
        expect(answers).toEqual(answered)
        expect(queue.bytes).toBe(10 * (jobs.length - answered.length))
      })
    )
  })
})
