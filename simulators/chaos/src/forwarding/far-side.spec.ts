import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { Dice } from './dice.js'
import { type FarSide, openFarSide } from './far-side.js'

let dir: string
let warehouse: FarSide

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'quantrac-forward-warehouse-'))
  warehouse = await openFarSide('http', dir)
})

afterEach(async () => {
  await warehouse.dispose()
  await rm(dir, { recursive: true })
})

const takesTokens = async (): Promise<boolean> => {
  const { QUANTRAC_WAREHOUSE_TOKEN_URL: url = '', QUANTRAC_WAREHOUSE_CLIENT_SECRET: secret = '' } = warehouse.environment
  const authorization = `Basic ${Buffer.from(`quantrac:${secret}`).toString('base64')}`
  return (await fetch(url, { method: 'POST', headers: { authorization }, body: new URLSearchParams({ grant_type: 'client_credentials' }) }))
    .ok
}

it('the receiver comes back at its address after a kill, and what earlier lives saw is counted with the rest', async () => {
  expect(await takesTokens()).toBe(true)
  const before = warehouse.environment
  await warehouse.kill()
  await expect(takesTokens()).rejects.toThrow()
  await warehouse.comeBack()
  expect(warehouse.environment).toEqual(before)
  expect(await takesTokens()).toBe(true)
  expect(await warehouse.account()).toMatchObject({ words: expect.stringContaining('tokens 2'), violations: 0 })
  expect(await warehouse.rows()).toEqual([])
})

it('every fault that it may be told is one that it knows, and comes once in fourteen times', async () => {
  const dice = new Dice(1, 'faults')
  const told = new Set<string>()
  for (let n = 0; n < 14; n++) for (const name of (await warehouse.misbehave(dice)).split(' and ')) told.add(name)
  expect(told.size).toBe(13)
  await warehouse.behave()
})
