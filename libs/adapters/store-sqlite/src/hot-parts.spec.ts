import { expect, it } from '@jest/globals'
import { HOUR } from '#libs/model'
import { BEGIN } from '#libs/testkit'
import { HotParts } from './hot-parts.js'
import { Part } from './part.js'

const part = (id: number): Part => Part.empty({ id, station: 'AG-017', parameter: `P${id}`, unit: '-' }, BEGIN, BEGIN + HOUR)
const heldOf = (hot: HotParts): number[] => [1, 2, 3, 4].filter(id => hot.get(id) !== undefined)

it('lets the least recently written part go when the budget is used up', () => {
  const hot = new HotParts(part(1).footprint * 3)
  for (const id of [1, 2, 3]) hot.set(id, part(id))
  expect(heldOf(hot)).toEqual([1, 2, 3])
  hot.set(1, part(1))
  hot.set(4, part(4))
  expect(heldOf(hot)).toEqual([1, 3, 4])
  expect(hot.bytes).toBe(part(1).footprint * 3)
  hot.delete(3)
  hot.delete(3)
  expect(hot.bytes).toBe(part(1).footprint * 2)
  hot.clear()
  expect([heldOf(hot), hot.bytes]).toEqual([[], 0])
})
