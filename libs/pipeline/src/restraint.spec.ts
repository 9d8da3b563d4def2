import { describe, expect, it } from '@jest/globals'
import { Restraint } from './restraint.js'

describe('Restraint', () => {
  /** Work in pieces, whenever it is allowed, beside so many records a second; the share of the time that it took. */
  function shareOf(recordsPerSecond: number, seconds: number, pieceMs = 10): number {
    let now = 0
    let before = -10
    let worked = 0
    const restraint = new Restraint(() => now)
    while (now < seconds * 1_000) {
      restraint.came((recordsPerSecond * (now - before)) / 1_000)
      before = now
      now += 10
      if (!restraint.allows) continue
      restraint.took(pieceMs)
      worked += pieceMs
      now += pieceMs - 10
    }
    return worked / now
  }

  it('lets work have its way while little comes', () => {
    expect(shareOf(100, 20)).toBe(1)
  })

  it('leaves it a small share while much comes', () => {
    const share = shareOf(20_000, 60)
    expect(share).toBeGreaterThan(0.05)
    expect(share).toBeLessThan(0.12)
  })

  it('has long pieces paid back', () => {
    expect(shareOf(20_000, 600, 2_000)).toBeLessThan(0.12)
  })

  it('is over some seconds after the rush', () => {
    let now = 0
    const restraint = new Restraint(() => now)
    restraint.came(50_000)
    restraint.took(10_000)
    expect([restraint.busy, restraint.allows]).toEqual([true, false])
    now += 2_000
    expect([restraint.busy, restraint.allows]).toEqual([false, true])
  })
})
