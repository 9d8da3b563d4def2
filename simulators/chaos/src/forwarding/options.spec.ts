import { describe, expect, it } from '@jest/globals'
import { parseForwardOptions } from './options.js'
import { oneOf, seeded } from './random.js'

describe('parseForwardOptions', () => {
  it('proves both sinks for ten minutes by default', () => {
    expect(parseForwardOptions([], () => 0.5)).toEqual({
      help: false,
      disturbedMs: 600_000,
      sinks: ['http', 'postgres'],
      stations: 8,
      seed: 2 ** 31
    })
  })

  it('takes a fraction of a minute, one sink and a seed', () => {
    expect(parseForwardOptions(['--minutes', '0.5', '--sink', 'postgres', '--seed', '7'])).toMatchObject({
      disturbedMs: 30_000,
      sinks: ['postgres'],
      seed: 7
    })
  })

  it('reports every problem at once', () => {
    expect(() => parseForwardOptions(['--minutes', '0', '--sink', 'ftp'])).toThrow(/--minutes.*\n--sink/)
    expect(() => parseForwardOptions(['--fast'])).toThrow(/fast/)
  })
})

it('a seed makes the same choices', () => {
  const choices = (seed: number) => {
    const random = seeded(seed)
    return Array.from({ length: 50 }, () => oneOf(['a', 'b', 'c'], random)).join('')
  }
  expect(choices(1)).toBe(choices(1))
  expect(choices(1)).not.toBe(choices(2))
  expect(new Set(choices(3))).toEqual(new Set('abc'))
})
