import { describe, expect, it } from '@jest/globals'
import { POINTS, parseProofOptions } from './options.js'

describe('parseProofOptions', () => {
  it('kills from outside by default', () => {
    expect(parseProofOptions([])).toMatchObject({ cycles: 10, points: [null], longestMs: 2_000, connections: 50, window: 10 })
  })

  it('takes one point, or all in turn', () => {
    expect(parseProofOptions(['--point', 'before-commit', '--cycles', '3']).points).toEqual(['before-commit'])
    expect(parseProofOptions(['--point', 'all']).points).toEqual(Object.keys(POINTS))
  })

  it('reports every problem at once', () => {
    expect(() => parseProofOptions(['--cycles', '0', '--point', 'nowhere'])).toThrow(/--cycles.*\n--point/)
    expect(() => parseProofOptions(['--fast'])).toThrow(/fast/)
  })
})
