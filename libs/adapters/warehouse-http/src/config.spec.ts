import { describe, expect, it } from '@jest/globals'
import { parseWarehouseHttp, type WarehouseHttpSettings } from './config.js'

const client = { tokenUrl: 'https://login.example/token', id: 'quantrac', secret: 'quite-secret' }
const good: WarehouseHttpSettings = { url: 'https://warehouse.example/api', client }
const problem = (settings: WarehouseHttpSettings, hasCertificate = false): string => {
  try {
    parseWarehouseHttp(settings, hasCertificate)
    return 'none'
  } catch (error) {
    expect(error).toMatchObject({ code: 'QT_WAREHOUSE_CONFIG_INVALID' })
    return String(error)
  }
}

describe('settings of the warehouse', () => {
  it('have limits of their own', () => {
    expect(parseWarehouseHttp(good, false)).toEqual({
      ...good,
      maxItems: 1_000,
      maxBytes: 1_048_576,
      timeoutMs: 30_000,
      plainHttp: 'loopback'
    })
  })

  it.each(['http://127.0.0.1:8090', 'http://[::1]:8090', 'http://localhost'])('may be %s', url => {
    expect(problem({ ...good, url })).toBe('none')
  })

  it('may go unencrypted beyond this machine only when told', () => {
    const url = 'http://10.0.0.5'
    expect(problem({ ...good, url })).toContain('url: must be https')
    expect(problem({ url: good.url, client: { ...client, tokenUrl: url } })).toContain('client.tokenUrl: must be https')
    expect(problem({ ...good, url, plainHttp: 'anywhere' })).toBe('none')
  })

  it('need a client or a certificate', () => {
    expect(problem({ url: good.url })).toContain('client: needed where there is no client certificate')
    expect(problem({ url: good.url }, true)).toBe('none')
  })

  it('are refused with every problem and no secret', () => {
    const text = problem({ url: 'https://me:pass@warehouse.example', client: { ...client, id: '' }, maxItems: 0 })
    for (const part of ['url: no user name', 'client.id', 'maxItems']) expect(text).toContain(part)
    expect(text).not.toMatch(/pass@|quite-secret/)
    expect(problem({ url: 'warehouse.example', client })).toContain('url: ')
  })
})
