import { describe, expect, it } from '@jest/globals'
import { anonymousClients, clientsFromUsers, loadOptions, parseArguments } from './options.js'

describe('options', () => {
  it('have the documented defaults', () => {
    const args = parseArguments([])
    expect(args).toMatchObject({ host: '127.0.0.1', port: 1883, connections: 100, qos: 1, seconds: 20, warmup: 3 })
    expect(loadOptions(args, anonymousClients(100, 'BENCH-'))).toMatchObject({
      pace: { window: 10 },
      payload: 'quantrac',
      parameters: 4,
      topic: 'quantrac/v1/{station}/readings',
      atLagMs: 0
    })
  })

  it('report every problem in one message', () => {
    const wrong = ['--port', '0', '--qos', '3', '--payload', 'size:x', '--params', '8', '--window', '5', '--rate', '7']
    expect(() => parseArguments(wrong)).toThrow(/--port.*\n--qos.*\n--payload.*\n--params.*\n--window and --rate/)
    expect(() => parseArguments(['--colour'])).toThrow(/colour/)
  })

  it('take users by lines and never quote one', () => {
    expect(clientsFromUsers('{"code":"A1","secret":"s"}\n\n')).toEqual([
      { clientId: 'bench-A1', station: 'A1', username: 'A1', password: 's' }
    ])
    const twoWrong = () => clientsFromUsers('{"code":"A1"}\nhidden')
    expect(twoWrong).toThrow('line 1 of the users')
    expect(twoWrong).toThrow('line 2 of the users')
    expect(twoWrong).not.toThrow(/hidden/)
  })

  it('want a user for every connection', () => {
    expect(() => loadOptions(parseArguments(['--connections', '2']), anonymousClients(1, 'B'))).toThrow(
      /2 needs as many users; there are 1/
    )
  })

  it('let a fast station begin an hour back, because its instants run ahead of the clock', () => {
    const clients = anonymousClients(100, 'B')
    expect(loadOptions(parseArguments(['--connections', '1']), clients).atLagMs).toBe(3_600_000)
    expect(loadOptions(parseArguments(['--connections', '1', '--rate', '900']), clients).atLagMs).toBe(0)
    expect(loadOptions(parseArguments(['--rate', '20', '--payload', 'size:64']), clients)).toMatchObject({
      pace: { rate: 20 },
      payload: { bytes: 64 }
    })
  })
})
