import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import type { TempDir } from '#libs/testkit'
import { tempDir } from '#libs/testkit'
import { SqliteStore } from '../src/store.js'
import { batch, faultsOf } from './numbered-batches.js'

const WRITER = fileURLToPath(new URL('./crash-writer.js', import.meta.url))
let dir: TempDir

beforeEach(async () => {
  dir = await tempDir()
})
afterEach(() => dir.remove())

/** Lets the child commit some batches, kills it in the middle of whatever it does, and answers the last number it printed. */
async function writeUntilKilled(dataDir: string, lines: number, thenMs: number): Promise<number> {
  const child = spawn(process.execPath, [WRITER, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] })
  let printed = 0
  let seen = 0
  for await (const line of createInterface({ input: child.stdout })) {
    printed = Number(line)
    if (++seen === lines) void setTimeout(thenMs).then(() => child.kill('SIGKILL'))
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  expect(child.signalCode).toBe('SIGKILL')
  return printed
}

it('holds after kill -9 exactly what its cursor says, every time', async () => {
  let before = 0
  for (const [lines, thenMs] of [
    [1, 0],
    [20, 3],
    [5, 1],
    [60, 0],
    [10, 7]
  ] as const) {
    const printed = await writeUntilKilled(dir.path, lines, thenMs)
    const store = await SqliteStore.open({ dataDir: dir.path })
    try {
      expect(printed).toBeGreaterThan(before)
      expect(await store.cursor()).toBeGreaterThanOrEqual(printed)
      expect(await faultsOf(store)).toEqual([])
      before = await store.cursor()
    } finally {
      await store.close()
    }
  }
})

it('goes back whole batches when a power cut takes the end of the WAL, and catches up by writing them again', async () => {
  const store = await SqliteStore.open({ dataDir: dir.path })
  for (let n = 1; n <= 12; n++) await store.write(batch(n), n)
  const wal = await readFile(join(dir.path, 'series.sqlite-wal'))
  const cursors = new Set<number>()
  for (let cut = 1; cut <= 12; cut++) {
    const after = await tempDir()
    await copyFile(join(dir.path, 'series.sqlite'), join(after.path, 'series.sqlite'))
    await writeFile(join(after.path, 'series.sqlite-wal'), wal.subarray(0, Math.floor((wal.length * cut) / 12) - 100))
    const left = await SqliteStore.open({ dataDir: after.path })
    try {
      const cursor = await left.cursor()
      cursors.add(cursor)
      expect(await faultsOf(left)).toEqual([])
      for (let n = cursor + 1; n <= 12; n++) await left.write(batch(n), n)
      expect([await left.cursor(), await faultsOf(left)]).toEqual([12, []])
    } finally {
      await left.close()
      await after.remove()
    }
  }
  await store.close()
  expect(cursors.size).toBeGreaterThan(5)
})
