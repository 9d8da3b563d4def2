import { describe, expect, it } from '@jest/globals'
import { parseInstructions } from './instructions.js'

const good = { url: 'mqtt://127.0.0.1:1883', registryDir: 'r', devicesDir: 'd', scenario: 's', stations: [{ code: 'AG-T1', secret: 'x' }] }

describe('instructions', () => {
  it('are one line of JSON', () => {
    expect(parseInstructions(JSON.stringify(good))).toEqual(good)
  })

  it('are refused without quoting anything of them', () => {
    const wrong = JSON.stringify({ ...good, url: 'http://x', stations: [{ code: 'hidden', secret: '' }] })
    expect(() => parseInstructions(wrong)).toThrow(/url: must look like.*\n.*stations.0.code.*\n.*stations.0.secret/)
    expect(() => parseInstructions(wrong)).not.toThrow(/hidden/)
    expect(() => parseInstructions('secret')).toThrow('not JSON')
    expect(() => parseInstructions('{secret')).not.toThrow(/secret/)
  })
})
