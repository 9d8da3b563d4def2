import { Worker } from 'node:worker_threads'
import { describe, expect, it } from '@jest/globals'
import { Listeners } from './listeners.js'

describe('Listeners', () => {
  it('tells each of them until it has had enough', () => {
    const heard: string[] = []
    const listeners = new Listeners<[string]>()
    const stop = listeners.add(word => heard.push(`one ${word}`))
    listeners.add(word => heard.push(`two ${word}`))
    listeners.tell('a')
    stop()
    listeners.tell('b')
    expect(heard).toEqual(['one a', 'two a', 'two b'])
  })

  it('lets the error of one surface, and neither the others nor the teller suffer by it', async () => {
    const source = `
      import { workerData } from 'node:worker_threads'
      import { Listeners } from ${JSON.stringify(new URL('./listeners.js', import.meta.url).href)}
      const listeners = new Listeners()
      listeners.add(() => { throw new Error('of one listener') })
      listeners.add(() => { workerData[0] = 1 })
      listeners.tell()
      workerData[1] = 1`
    const reached = new Uint8Array(new SharedArrayBuffer(2)) // the other listener, the teller
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), { workerData: reached })
    const error = await new Promise<Error>(resolve => worker.once('error', resolve))
    expect(error.message).toBe('of one listener')
    expect([...reached]).toEqual([1, 1])
  })
})
