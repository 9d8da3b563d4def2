import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { filterMatches, isValidFilter, levelsOf } from './topic-filter.js'
import { TopicTrie } from './topic-trie.js'

const level = fc.constantFrom('a', 'b', '', '$x')
const topic = fc.array(level, { minLength: 1, maxLength: 4 }).map(levels => levels.join('/'))
const filter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([levels, open]) => [...levels, ...(open ? ['#'] : [])].join('/'))

describe('filters', () => {
  // The examples of MQTT 3.1.1, section 4.7.
  it.each([
    ['sport/tennis/player1/#', 'sport/tennis/player1', true],
    ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon', true],
    ['sport/#', 'sport', true],
    ['sport/tennis/+', 'sport/tennis/player1', true],
    ['sport/tennis/+', 'sport/tennis/player1/ranking', false],
    ['sport/+', 'sport', false],
    ['sport/+', 'sport/', true],
    ['+/+', '/finance', true],
    ['/+', '/finance', true],
    ['+', '/finance', false],
    ['#', '$SYS/x', false],
    ['+/monitor/Clients', '$SYS/monitor/Clients', false],
    ['$SYS/#', '$SYS/monitor/Clients', true],
    ['sport', 'sports', false]
  ])('%s and %s: %s', (one, other, matches) => {
    expect(filterMatches(one, other)).toBe(matches)
  })

  it.each(['#', 'a/#', '+', '+/a', 'a/+/b', 'a//b', '/'])('%s is valid', text => {
    expect(isValidFilter(text, 8)).toBe(true)
  })

  it.each(['', 'a#', 'a/#/b', '#/a', 'a+', '+a/b', 'a/b+/c', 'a\0b', '1/2/3/4/5/6/7/8/9'])('%j is not', text => {
    expect(isValidFilter(text, 8)).toBe(false)
  })

  it('a topic has one level more than separators', () => {
    fc.assert(fc.property(topic, text => levelsOf(text) === text.split('/').length))
  })
})

describe('the trie', () => {
  it('finds exactly the filters that match, whatever was added and removed before', () => {
    const change = fc.record({ filter, value: fc.integer({ min: 0, max: 3 }), add: fc.boolean() })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), fc.array(topic, { minLength: 1, maxLength: 5 }), (changes, topics) => {
        const trie = new TopicTrie<string>()
        const expected = new Set<string>()
        for (const { filter: text, value, add } of changes) {
          const pair = `${text} ${value}`
          if (add) {
            trie.add(text, pair)
            expected.add(pair)
          } else {
            trie.remove(text, pair)
            expected.delete(pair)
          }
          for (const name of topics) {
            const wanted = [...expected].filter(each => filterMatches(each.split(' ')[0] as string, name))
            expect([...trie.match(name)].sort()).toEqual(wanted.sort())
          }
        }
        expect(trie.size).toBe(expected.size)
      })
    )
  })
})
