import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'
import { AlertingFile, BoardProviderFile, DataSourceFile } from '../test/schemas.js'
import { files } from './files.js'

const run = promisify(execFile)
const MAIN = resolve('dist/dashboards/src/main.js')
const provisioned = (path: string): unknown => parse(readFileSync(`dashboards/provisioning/${path}/quantrac.yaml`, 'utf8'))

describe('the files for Grafana', () => {
  it.each(files().map(file => [file.path, file.text]))('%s is what the code writes', (path, text) => {
    expect(readFileSync(join('dashboards', path), 'utf8')).toBe(text)
  })

  it('are the same at every call', () => expect(files()).toEqual(files()))

  it('are told to be stale by --check, which writes nothing', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'quantrac-boards-'))
    try {
      cpSync('dashboards', join(dir, 'dashboards'), { recursive: true })
      const check = () => run(process.execPath, [MAIN, '--check'], { cwd: dir })
      expect(await check()).toMatchObject({ stderr: '' })
      const file = join(dir, 'dashboards/boards/province.json')
      writeFileSync(file, '{}')
      await expect(check()).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('province.json is not current') })
      expect(readFileSync(file, 'utf8')).toBe('{}')
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  })
})

describe('the provisioning files', () => {
  const sources = DataSourceFile.parse(provisioned('datasources')).datasources
  const providers = BoardProviderFile.parse(provisioned('dashboards')).providers
  const groups = AlertingFile.parse(provisioned('alerting')).groups
  const rules = groups.flatMap(group => group.rules)

  it('name each thing once', () => {
    const uids = [...sources.map(({ uid }) => uid), ...rules.map(({ uid }) => uid)]
    expect(new Set(uids).size).toBe(uids.length)
    expect(sources.filter(source => source.isDefault)).toHaveLength(1)
  })

  it('let alert rules ask a data source that is provisioned, and put them into the boards’ folder', () => {
    const known = sources.map(({ uid }) => uid)
    for (const { data } of rules) expect(known).toContain(data[0].datasourceUid)
    for (const { folder } of groups) expect(providers.map(provider => provider.folder)).toContain(folder)
  })

  it('watch over the consumers, the journal, the disk, readiness and the outbox', () => {
    const asked = rules.map(({ data }) => data[0].model.expr).join('\n')
    for (const metric of [
      'consumer_lag_records',
      'consumer_waiting',
      'journal_healthy',
      'journal_limit_bytes',
      'disk_free',
      'ready',
      'outbox'
    ])
      expect(asked).toContain(`quantrac_${metric}`)
    expect(asked).toContain('up{job="quantrac"}')
  })
})
