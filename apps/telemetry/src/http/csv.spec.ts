import { expect, it } from '@jest/globals'
import { csvText } from './csv.js'

it('writes RFC 4180: quotes what holds a comma or a quote, lists with blanks, what is missing as nothing', () => {
  const rows = [
    { parameter: 'PM2,5', value: 12.5, flags: ['clock-ahead', 'out-of-range'], mean: null },
    { parameter: '"x"', value: -0.5, flags: [] }
  ]
  expect(csvText(['parameter', 'value', 'flags', 'mean'], rows)).toBe(
    'parameter,value,flags,mean\r\n"PM2,5",12.5,clock-ahead out-of-range,\r\n"""x""",-0.5,,\r\n'
  )
})
