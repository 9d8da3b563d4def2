import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'

const sources = (dir: string): string[] =>
  readdirSync(dir, { withFileTypes: true }).flatMap(entry => {
    const path = join(dir, entry.name)
    if (entry.isDirectory()) return sources(path)
    return path.endsWith('.ts') && !/\.spec\.ts$|\/test\/|\/test(kit|-servers)\//.test(path) ? [readFileSync(path, 'utf8')] : []
  })

const found = (pattern: RegExp, text: string): string[] => [...new Set([...text.matchAll(pattern)].map(match => String(match[1])))].sort()
const code = [...sources('libs'), ...sources('apps')].join('\n')

describe('the documents are complete and current', () => {
  it('errors.md has a heading for every code, and for no other', () => {
    const document = readFileSync('apps/telemetry/docs/errors.md', 'utf8')
    expect(found(/^### (QT_[A-Z_]+)$/gm, document)).toEqual(found(/['"`](QT_[A-Z0-9_]*[A-Z0-9])['"`]/g, code))
  })

  it('metrics.md has a row for every metric of ours, and for no other', () => {
    const document = readFileSync('apps/telemetry/docs/metrics.md', 'utf8')
    expect(found(/^\| `(quantrac_[a-z_]+)` /gm, document)).toEqual(found(/'(quantrac_[a-z_]+[a-z])'/g, code))
  })

  it('every device type and every library has a README', () => {
    const folders = [...children('libs').filter(dir => dir !== 'libs/adapters'), ...children('libs/adapters'), ...children('devices')]
    expect(folders.length).toBeGreaterThan(15)
    for (const folder of folders) expect(readdirSync(folder)).toContain('README.md')
  })
})

const children = (dir: string): string[] =>
  readdirSync(dir, { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(entry => join(dir, entry.name))
