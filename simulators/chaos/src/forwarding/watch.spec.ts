import { describe, expect, it } from '@jest/globals'
import type { Row } from './rows.js'
import { RevisionWatch } from './watch.js'

const row = (end: number, revision: number) => ({ station: 'A1', parameter: 'COD', period: 'hour', end, revision }) as Row

describe('RevisionWatch', () => {
  it('has nothing against rows that come and rise', () => {
    const watch = new RevisionWatch()
    watch.look([row(1, 1)])
    watch.look([row(1, 3), row(2, 1)])
    watch.look([row(2, 2), row(1, 3)])
    watch.compare([row(1, 3)], [row(1, 4), row(9, 1)])
    expect(watch.faults).toEqual([])
    expect(watch.revised).toEqual({ rows: 2, highest: 3 })
  })

  it('sees a revision that went down, once', () => {
    const watch = new RevisionWatch()
    for (const revision of [1, 3, 2, 3]) watch.look([row(1, revision)])
    expect(watch.faults).toEqual(['A1/COD/hour/1970-01-01T00:00:00.001Z went from revision 3 down to 2 in the warehouse'])
  })

  it('sees a row that has gone', () => {
    const watch = new RevisionWatch()
    watch.look([row(1, 1), row(2, 1)])
    watch.look([row(2, 1)])
    expect(watch.faults).toEqual([expect.stringContaining('has gone')])
  })

  it('sees what the warehouse knows and we do not', () => {
    const watch = new RevisionWatch()
    watch.compare([row(1, 2), row(2, 1), row(3, 1)], [row(1, 1), row(2, 1)])
    expect(watch.faults).toEqual([
      expect.stringMatching(/001Z has revision 2 in the warehouse and 1 here/),
      expect.stringMatching(/003Z has revision 1 in the warehouse and 0 here/)
    ])
  })
})
