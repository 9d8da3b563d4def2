import { describe, expect, it } from '@jest/globals'
import { parseForwardOptions } from './options.js'

describe('parseForwardOptions', () => {
  it('proves both sinks for ten minutes by default, with another seed each time', () => {
    const one = parseForwardOptions([])
    expect(one).toMatchObject({
      disturbedMs: 600_000,
      sinks: ['http', 'postgres'],
      stations: 8,
      store: 'sqlite',
      state: 'sqlite',
      help: false
    })
    expect(parseForwardOptions([]).seed).not.toBe(one.seed)
  })

  it('takes a fraction of a minute, one sink and a seed', () => {
    const options = parseForwardOptions(['--minutes', '0.5', '--sink', 'postgres', '--seed', '7'])
    expect(options).toMatchObject({ disturbedMs: 30_000, sinks: ['postgres'], seed: 7 })
    expect(options.limitMs).toBeGreaterThan(options.disturbedMs + options.settleMs)
  })

  it('reports every problem at once', () => {
    expect(() => parseForwardOptions(['--minutes', '0', '--sink', 'ftp'])).toThrow(/--minutes.*\n--sink/)
    expect(() => parseForwardOptions(['--fast'])).toThrow(/fast/)
  })
})
