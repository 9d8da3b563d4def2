import { execFile } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { InfluxStore } from '#libs/adapters/store-influx'
import { DAY } from '#libs/model'
import { described, startInflux } from '#libs/test-servers'
import type { TempDir } from '#libs/testkit'
import { plainReading, tempDir } from '#libs/testkit'

const OPS = fileURLToPath(new URL('./main.js', import.meta.url))
const run = promisify(execFile)
const found = await startInflux()

described(describe, { kind: 'influx', name: 'ops influx with a real InfluxDB', found }, server => {
  let dir: TempDir
  beforeAll(async () => {
    dir = await tempDir()
  })
  afterAll(async () => {
    await dir.remove()
    await server.dispose()
  })

  const ops = (words: string[], settings: Record<string, string> = {}) =>
    run(process.execPath, [OPS, 'influx', ...words], {
      env: { PATH: process.env['PATH'], QUANTRAC_INFLUX_URL: server.url, QUANTRAC_INFLUX_ORG: server.org, ...settings }
    })
  const admin = { QUANTRAC_INFLUX_ADMIN_TOKEN: server.token }

  it('prints the token alone, once; files are their owner’s', async () => {
    const first = await ops(['setup', '--retention', '40d', '--hourly-retention', '100d'], admin)
    expect(first.stdout).toMatch(/^\S{40,}\n$/)
    expect(first.stderr).toContain('bucket quantrac made, keeps 40 days')
    expect((await ops(['setup', '--retention', '40d', '--hourly-retention', '100d'], admin)).stdout).toBe('')
    const [mine, grafanas] = [join(dir.path, 'token'), join(dir.path, 'grafana')]
    const rotated = await ops(['setup', '--retention', '40d', '--rotate', '--token-file', mine, '--grafana-token-file', grafanas], admin)
    expect(rotated.stdout).toBe('')
    for (const path of [mine, grafanas]) {
      expect((await stat(path)).mode & 0o777).toBe(0o600)
      expect((await readFile(path, 'utf8')).trim()).toMatch(/^\S{40,}$/)
    }
  })

  it('lists what was set aside', async () => {
    const token = (await ops(['setup', '--retention', '40d', '--rotate'], admin)).stdout.trim()
    const store = await InfluxStore.open({ url: server.url, org: server.org, bucket: 'quantrac', token })
    await store.write([plainReading({ at: Date.now() - 50 * DAY, sequence: 7 })], 7)
    await store.close()
    const { stdout } = await ops(['set-aside'], { QUANTRAC_INFLUX_TOKEN: token })
    expect(stdout).toMatch(/^7 AG-017\/COD 20.*\+07:00: .*retention/)
    expect(JSON.parse((await ops(['set-aside', '--json'], { QUANTRAC_INFLUX_TOKEN: token })).stdout)).toMatchObject({ sequence: 7 })
  })

  it.each([
    [['setup'], {}, 'QUANTRAC_INFLUX_ADMIN_TOKEN'],
    [['setup', '--retention', 'soon'], admin, '400d or 36h'],
    [['setup', '--token-file', '/nowhere/token', '--rotate'], admin, 'ENOENT'],
    [['set-aside'], {}, 'QUANTRAC_INFLUX_TOKEN']
  ])('%j refused with a word that helps', async (words, settings, help) => {
    await expect(ops(words, settings)).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining(help) })
  })
})
