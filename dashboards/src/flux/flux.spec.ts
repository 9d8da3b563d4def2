import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  above,
  all,
  any,
  call,
  choose,
  chosen,
  column,
  duration,
  equal,
  exists,
  firstOf,
  float,
  name,
  not,
  plus,
  print,
  record,
  text,
  times,
  whole
} from './expression.js'
import { BOARD_WINDOW, Flow, isChosen } from './flow.js'
import { Script } from './script.js'

/** Reads a Flux text literal back, by Flux's own rules. */
function readBack(literal: string): string {
  const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }
  return literal.slice(1, -1).replace(/\\(.)/gs, (_whole, character: string) => escapes[character] ?? character)
}

describe('expressions', () => {
  it('make a literal of any text without a $, which reads back as the same', () => {
    fc.assert(
      fc.property(
        fc.string().filter(value => !value.includes('$')),
        value => {
          const literal = print(text(value))
          expect(literal).toMatch(/^"(?:[^"\\\n\r]|\\.)*"$/s)
          expect(readBack(literal)).toBe(value)
        }
      )
    )
  })

  it('refuse what Grafana would read as a variable, and what is no name or span', () => {
    expect(() => text('$station')).toThrow(RangeError)
    expect(() => name('a b')).toThrow(RangeError)
    expect(() => duration('1 day')).toThrow(RangeError)
  })

  it.each([
    [float(5), '5.0'],
    [float(0.25), '0.25'],
    [whole(5), '5'],
    [column('value'), 'r.value'],
    [column('two words'), 'r["two words"]'],
    [chosen('zone'), `\${zone:doublequote}`],
    [not(exists(column('a'))), 'not (exists r.a)'],
    [times(plus(whole(1), whole(2)), whole(3)), '(1 + 2) * 3'],
    [
      any(equal(column('a'), whole(1)), equal(column('a'), whole(2)), equal(column('a'), whole(3))),
      '(r.a == 1) or (r.a == 2) or (r.a == 3)'
    ],
    [all(exists(column('a')), above(column('a'), column('b'))), '(exists r.a) and (r.a > r.b)'],
    [choose(exists(column('a')), column('a'), whole(0)), 'if exists r.a then r.a else 0'],
    [
      firstOf(
        [
          [exists(column('a')), whole(1)],
          [exists(column('b')), whole(2)]
        ],
        whole(3)
      ),
      'if exists r.a then 1 else if exists r.b then 2 else 3'
    ],
    [call('string', { v: column('a') }), 'string(v: r.a)'],
    [record({ a: whole(1) }), '{r with a: 1}'],
    [record({ a: whole(1) }, null), '{a: 1}']
  ])('%# print as Flux', (expression, printed) => expect(print(expression)).toBe(printed))
})

describe('a script', () => {
  it('imports what it calls, and knows what it reads', () => {
    const script = new Script(
      {
        a: Flow.read('station', { fields: ['zone'], span: 'ever' })
          .pivot()
          .group(),
        b: Flow.read('series', { fields: ['unit'], span: 'ever' })
      },
      Flow.joinLeft('a', 'b', { on: ['station'], has: { zone: text('') }, take: { unit: text('') } }).filter(isChosen('zone', 'zone'))
    )
    expect(script.print()).toMatch(/^import "array"\nimport "join"\n\na = from\(bucket: v\.defaultBucket \+ "-context"\)/)
    expect(script.uses.map(({ measurement }) => measurement)).toEqual(['station', 'series'])
    expect(script.variables).toEqual(['zone'])
    expect(script.strangers).toEqual([])
  })

  it('sees a column that nobody makes, also where it is only named', () => {
    const read = Flow.read('reading', { fields: ['value'], span: 'board' })
    expect(Script.of(read.filter(equal(column('colour'), text('')))).strangers).toEqual(['colour'])
    expect(Script.of(read.keep('_time', 'zone')).strangers).toEqual(['zone'])
    expect(Script.of(read.map({ zone: text('') }).keep('zone')).strangers).toEqual([])
    expect(Script.of(read.rename({ _value: 'unit' }).sort(['unit', 'limits'])).strangers).toEqual(['limits'])
  })

  it('counts days and months as Vietnam does', () => {
    const read = Flow.read('reading', { fields: ['value'], span: 'board' })
    expect(Script.of(read.windows('1d', 'count')).print()).toContain('every: 1d, offset: -7h,')
    expect(Script.of(read.windows('1mo', 'sum')).print()).toMatch(/^import "timezone"\n\noption location = timezone\.fixed\(offset: 7h\)\n/)
    expect(Script.of(read.windows(BOARD_WINDOW, 'mean')).print()).toContain('every: v.windowPeriod, fn: mean')
  })
})
