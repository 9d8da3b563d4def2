import { describe, expect, it } from '@jest/globals'
import { CursorMarks } from './cursor-marks.js'

const NEVER_MS = 1_000_000

function marksSent(intervalMs = NEVER_MS) {
  const sent: Record<string, number | null>[] = []
  return { sent, marks: new CursorMarks(intervalMs, changes => sent.push(Object.fromEntries(changes))) }
}

describe('CursorMarks', () => {
  it('sends a new consumer at once, and one that goes back: retention must wait for it from now on', () => {
    const { sent, marks } = marksSent()
    marks.set('store', 5)
    marks.set('store', 4)
    expect(sent).toEqual([{ store: 5 }, { store: 4 }])
  })

  it('sends progress in bulk, the newest position only, and nothing where nothing has changed', () => {
    const { sent, marks } = marksSent()
    marks.set('store', 0)
    marks.set('alarms', 0)
    sent.splice(0)
    for (let n = 1; n <= 1_000; n++) marks.set('store', n)
    marks.set('alarms', 7)
    expect(sent).toEqual([])
    marks.flush()
    marks.flush()
    marks.set('store', 1_000)
    marks.flush()
    expect(sent).toEqual([{ store: 1_000, alarms: 7 }])
  })

  it('sends progress by itself after its interval', async () => {
    const { sent, marks } = marksSent(1)
    marks.set('store', 0)
    marks.set('store', 1)
    while (sent.length < 2) await new Promise(resolve => setTimeout(resolve, 2))
    expect(sent[1]).toEqual({ store: 1 })
  })

  it('sends that a consumer is forgotten, once', () => {
    const { sent, marks } = marksSent()
    marks.set('store', 1)
    marks.forget('store')
    marks.forget('store')
    expect(sent).toEqual([{ store: 1 }, { store: null }])
    expect(marks.cursors.size).toBe(0)
  })

  it('tells a fresh writer everything, also what has been forgotten since it last saved', () => {
    const { sent, marks } = marksSent()
    marks.load(new Map([['old', 3]]))
    marks.set('store', 1)
    marks.forget('old')
    sent.splice(0)
    marks.resend(new Map([['old', 3]]))
    expect(sent).toEqual([{ old: null, store: 1 }])
  })
})
