import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'
import { type Aggregate, WarehouseDigests, warehouseChecksum, warehouseText } from '#libs/pipeline'
import { plainAggregate } from '#libs/testkit'
import { toItem } from './batch.js'

interface Schema {
  readonly required: readonly string[]
  readonly properties: Record<string, object>
  readonly example: Record<string, unknown>
}

const page = readFileSync('apps/telemetry/docs/warehouse.md', 'utf8')
const { components } = parse(readFileSync('apps/telemetry/docs/warehouse.openapi.yaml', 'utf8')) as {
  components: { schemas: Record<'Item' | 'Answer' | 'Digest', Schema> }
}
const sent = (aggregate: Aggregate): Record<string, unknown> => JSON.parse(toItem(aggregate).json) as Record<string, unknown>

describe('the contract’s pages say what is sent', () => {
  const { Item } = components.schemas

  it('in the OpenAPI file: every field, and an example', () => {
    const fields = Object.keys(sent(plainAggregate())).sort()
    expect([...Item.required].sort()).toEqual(fields)
    expect(Object.keys(Item.properties).sort()).toEqual(fields)
    expect(Item.example).toEqual(sent(plainAggregate()))
  })

  it('in the worked example of the checksum', () => {
    const [cod, tss] = [plainAggregate(), plainAggregate({ parameter: 'TSS' })]
    const day = new WarehouseDigests()
    for (const row of [cod, tss]) day.add(row)
    expect(page).toContain(`\n${warehouseText(cod)}\n`)
    for (const checksum of [warehouseChecksum(cod), warehouseChecksum(tss), day.list()[0]?.checksum])
      expect(page).toContain(`\`${checksum}\``)
  })

  it('with as many parts of a row’s text as it has', () => {
    const count = warehouseText(plainAggregate()).split('|').length
    expect(page).toContain(`these ${count} parts`)
    const [, list = ''] = /^(`v1` \|[\s\S]*?)\n\n/m.exec(page) ?? []
    expect(list.split('|')).toHaveLength(count)
  })
})
