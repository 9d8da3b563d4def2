import { describe, expect, it } from '@jest/globals'
import { parseWarehousePostgres, type WarehousePostgresSettings } from './config.js'
import { schemaScript } from './migrate.js'

const problem = (settings: WarehousePostgresSettings): string => {
  try {
    parseWarehousePostgres(settings)
    return 'none'
  } catch (error) {
    expect(error).toMatchObject({ code: 'QT_WAREHOUSE_CONFIG_INVALID' })
    return String(error)
  }
}

describe('settings of the warehouse', () => {
  it('have limits of their own', () => {
    const url = 'postgres://quantrac:pw@127.0.0.1/warehouse'
    expect(parseWarehousePostgres({ url })).toEqual({ url, maxItems: 1_000, timeoutMs: 30_000, plain: 'loopback' })
  })

  it.each([
    'postgres://u:p@localhost/w',
    'postgresql://u:p@[::1]:5433/w',
    'postgres:///w?host=/run/postgresql&user=u',
    'postgres://u:p@db.example/w?sslmode=verify-full'
  ])('may be %s', url => {
    expect(problem({ url })).toBe('none')
  })

  it.each(['postgres://u:pw@db.example/w', 'postgres://u:pw@localhost/w?host=db.example', 'postgres://u:pw@db.example/w?sslmode=prefer'])(
    'may go unencrypted beyond this machine only when told: %s',
    url => {
      expect(problem({ url })).toContain('url: needs sslmode=verify-full')
      expect(problem({ url })).not.toContain('pw')
      expect(problem({ url, plain: 'anywhere' })).toBe('none')
    }
  )

  it.each(['mysql://u:pw@db.example/w', 'db.example'])('may not be %s', url => {
    expect(problem({ url })).toContain('url:')
  })
})

it('the script for an administrator is one transaction that ends with the version', () => {
  expect(schemaScript()).toMatch(
    /^begin;\ncreate schema quantrac_warehouse;[\s\S]*insert into quantrac_warehouse\.version \(version\) values \(1\);\ncommit;\n$/
  )
})
