import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { loadRegistry } from '#libs/platform'
import { numberedStations, writeRegistry } from './registry.js'

describe('writeRegistry', () => {
  it('writes what the server accepts, against the devices of this repository', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'quantrac-kill-registry-'))
    await writeRegistry(dir, numberedStations(50, 0))
    const registry = await loadRegistry(dir, 'devices')
    const rules = await readFile(join(dir, 'rules.yaml'), 'utf8')
    await rm(dir, { recursive: true })
    expect(registry.stations.map(station => station.code)).toHaveLength(50)
    expect(new Set(registry.stations.flatMap(station => station.parameters))).toEqual(new Set(['Flow', 'COD']))
    expect(rules).toContain('high: 100')
  })
})
