import { describe, expect, it } from '@jest/globals'
import { plainReading } from '#libs/testkit'
import { ruleOn } from './standing.js'

const standing = plainReading({ revision: 1, sequence: 10 })

describe('which of two readings of one identity stays', () => {
  it.each([
    ['the same again', {}, 'repeats'],
    ['the same by a later record', { sequence: 11 }, 'repeats'],
    ['the same by an earlier record', { sequence: 9 }, 'predates'],
    ['a lower revision, whatever it says', { revision: 0, value: 1, sequence: 9 }, 'repeats'],
    ['a higher revision', { revision: 2, sequence: 11 }, 'replaces'],
    ['a higher revision of an earlier record', { revision: 2, sequence: 9 }, 'replaces'],
    ['another value', { value: 1, sequence: 11 }, 'contradicts'],
    ['another unit', { unit: 'g/L', sequence: 11 }, 'contradicts'],
    ['another status', { status: '02', sequence: 11 }, 'contradicts'],
    ['another value within one record', { value: 1 }, 'contradicts'],
    ['another value of an earlier record', { value: 1, sequence: 9 }, 'ousts'],
    ['what is no content: flags, road, time of receipt', { flag: 3, road: 'http', receivedAt: 1, sequence: 11 }, 'repeats']
  ] as const)('%s', (_, differences, ruling) => {
    expect(ruleOn(standing, plainReading({ revision: 1, sequence: 10, ...differences }))).toBe(ruling)
  })
})
