import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { QueryBroken, readCsv } from './csv.js'

const rowsOf = (text: string): Record<string, string>[] => {
  const rows: Record<string, string>[] = []
  readCsv(text, (cells, columns) => rows.push(Object.fromEntries(Object.entries(columns).map(([name, at]) => [name, cells[at] ?? '']))))
  return rows
}

describe('the CSV of a Flux answer', () => {
  it('has a header after each empty line', () => {
    const text = ',result,table,_value\r\n,_result,0,1\r\n,_result,0,2\r\n\r\n,result,table,_time\r\n,_result,1,now\r\n\r\n'
    expect(rowsOf(text).map(row => row['_value'] ?? row['_time'])).toEqual(['1', '2', 'now'])
  })

  it('may be empty', () => {
    expect([rowsOf(''), rowsOf('\r\n'), rowsOf(',result,table,_value\r\n\r\n')]).toEqual([[], [], []])
  })

  it('tells of a query that broke off', () => {
    const text = ',result,table,_value\r\n,_result,0,1\r\n\r\nerror,reference\r\nit broke,897\r\n'
    expect(() => rowsOf(text)).toThrow(new QueryBroken('it broke'))
  })

  const written = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)
  const cells = fc.string({ unit: fc.constantFrom('a', ' ', ',', '"', '\n', '\r', 'đ') })

  it('gives back any cells', () =>
    fc.assert(
      fc.property(fc.array(fc.tuple(cells, cells, cells), { maxLength: 8 }), fc.constantFrom('\n', '\r\n'), (rows, end) => {
        const lines = rows.map(row => `,${row.map(written).join(',')}`)
        const text = [',a,b,c', ...lines, ''].join(end)
        expect(rowsOf(text).map(({ a, b, c }) => [a, b, c])).toEqual(rows)
      })
    ))
})
