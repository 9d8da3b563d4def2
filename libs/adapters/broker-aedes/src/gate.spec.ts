import { describe, expect, it } from '@jest/globals'
import { addressKey, Gate } from './gate.js'
import { LoginPenalties } from './login-penalties.js'
import { DEFAULT_LIMITS } from './options.js'

describe('addresses', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    [undefined, 'unknown']
  ])('%s counts as %s', (remote, key) => {
    expect(addressKey(remote)).toBe(key)
  })
})

describe('the gate', () => {
  it('forgets an address that has left', () => {
    const gate = new Gate({ connections: 5, connectionsPerAddress: 1 }, new LoginPenalties(DEFAULT_LIMITS, () => 0))
    expect([gate.enter('a'), gate.enter('a'), gate.enter('b')]).toEqual([null, 'address-connections', null])
    gate.leave('a')
    expect([gate.enter('a'), gate.open]).toEqual([null, 2])
  })
})

describe('penalties', () => {
  const open = (limits = {}): { penalties: LoginPenalties; pass: (ms: number) => void } => {
    let now = 1_000_000
    const penalties = new LoginPenalties({ ...DEFAULT_LIMITS, ...limits }, () => now)
    return { penalties, pass: ms => (now += ms) }
  }

  it('the refusal is held back longer with each failure, up to a limit', () => {
    const { penalties } = open()
    expect([1, 2, 3, 4, 5, 6, 7].map(() => penalties.failed('a'))).toEqual([250, 500, 1_000, 2_000, 4_000, 5_000, 5_000])
    expect(penalties.failed('b')).toBe(250)
  })

  it('after ten failures the address is shut out: 1 s, then twice as long each time, up to 5 min', () => {
    const { penalties, pass } = open()
    for (let n = 1; n < 10; n++) penalties.failed('a')
    expect(penalties.isBlocked('a')).toBe(false)
    for (const seconds of [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]) {
      penalties.failed('a')
      pass(seconds * 1_000 - 1)
      expect(penalties.isBlocked('a')).toBe(true)
      pass(1)
      expect(penalties.isBlocked('a')).toBe(false)
    }
  })

  it('a success, and ten quiet minutes, forgive all', () => {
    const { penalties, pass } = open()
    penalties.failed('a')
    penalties.succeeded('a')
    expect(penalties.failed('a')).toBe(250)
    pass(600_001)
    expect(penalties.failed('a')).toBe(250)
  })

  it('only so many addresses are remembered: the one that failed longest ago is forgotten', () => {
    const { penalties } = open({ loginAddresses: 2 })
    for (const address of ['a', 'b', 'a', 'c']) penalties.failed(address)
    expect(['a', 'b', 'c'].map(address => penalties.failed(address))).toEqual([1_000, 250, 250])
  })
})
