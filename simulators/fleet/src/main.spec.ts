import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { StubBroker, until } from '../../test/stub-broker.js'

const MAIN = fileURLToPath(new URL('./main.js', import.meta.url))

describe('the fleet as a process', () => {
  let broker: StubBroker
  let child: ChildProcess
  let output = ''
  let errors = ''
  let exited: Promise<number | null>

  beforeEach(async () => {
    broker = await StubBroker.listen()
    output = ''
    errors = ''
    child = spawn(process.execPath, [MAIN], { stdio: ['pipe', 'pipe', 'pipe'] })
    child.stdout?.on('data', chunk => {
      output += String(chunk)
    })
    child.stderr?.on('data', chunk => {
      errors += String(chunk)
    })
    exited = new Promise(resolve => child.once('exit', resolve))
  })

  afterEach(async () => {
    if (child.exitCode === null) child.kill('SIGKILL')
    await exited
    await broker.close()
  })

  const instruct = (codes: readonly string[]): void => {
    const stations = codes.map(code => ({ code, secret: 's' }))
    const dirs = { registryDir: 'devices/registry', devicesDir: 'devices', scenario: 'simulators/scenarios/demo.yaml' }
    child.stdin?.write(`${JSON.stringify({ url: broker.url, ...dirs, stations })}\n`)
  }

  interface Line {
    event: string
    series?: Record<string, { count: number }>
  }

  const lines = (): Line[] =>
    output
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as Line)

  const everyone = async (): Promise<string[]> => {
    const { loadRegistry } = await import('#libs/platform')
    return (await loadRegistry('devices/registry', 'devices')).stations.map(({ code }) => code)
  }

  it('plays until its standard input ends, and then tells what was acknowledged', async () => {
    const codes = await everyone()
    instruct(codes)
    await until(
      'a message of each station',
      () => new Set(broker.messages.filter(m => m.topic.endsWith('/readings')).map(m => m.clientId)).size >= codes.length - 1
    )
    child.stdin?.end()
    expect(await exited).toBe(0)
    const [first] = lines()
    const last = lines().at(-1)
    expect([first?.event, last?.event]).toEqual(['started', 'stopped'])
    expect(Object.values(last?.series ?? {}).every(({ count }) => count > 0)).toBe(true)
    expect(Object.keys(last?.series ?? {})).toContain('AG-KCN-BINHHOA-01/COD')
  })

  it('ends on SIGTERM', async () => {
    instruct(await everyone())
    await until('online', () => output.includes('online'))
    child.kill('SIGTERM')
    expect(await exited).toBe(0)
  })

  it('refuses stations that the registry does not have, and instructions that are none', async () => {
    instruct(['AG-NOWHERE-01', 'AG-NOWHERE-02'])
    expect(await exited).toBe(2)
    expect(errors).toMatch(/QT_SIM_SCENARIO[\s\S]*AG-NOWHERE-01[\s\S]*AG-NOWHERE-02/)
  })
})
