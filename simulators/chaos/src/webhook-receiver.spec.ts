import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { WebhookReceiver } from './webhook-receiver.js'

describe('WebhookReceiver', () => {
  let receiver: WebhookReceiver

  beforeEach(async () => {
    receiver = await WebhookReceiver.listen()
  })

  afterEach(() => receiver.close())

  const send = (key: string | null, transition: string): Promise<number> =>
    fetch(receiver.url, {
      method: 'POST',
      headers: key === null ? {} : { 'idempotency-key': key },
      body: JSON.stringify({ transition: { id: transition } })
    }).then(
      response => response.status,
      () => 0
    )

  it('counts each key once and remembers its transition', async () => {
    expect([await send('k1', 't1'), await send('k1', 't1'), await send('k2', 't2')]).toEqual([204, 204, 204])
    expect(receiver).toMatchObject({ keys: 2, repeats: 1, transitions: ['t1', 't2'], faults: [] })
  })

  it('leaves some messages without an answer, though it has them', async () => {
    const answers: number[] = []
    for (let n = 0; n < 46; n++) answers.push(await send(`k${n}`, `t${n}`))
    expect(answers.filter(status => status === 0)).toHaveLength(2)
    expect(receiver.keys).toBe(46)
  })

  it('holds a message without a key, and a key with two transitions, against the sender', async () => {
    expect([await send(null, 't1'), await send(null, 't1')]).toEqual([400, 400])
    await send('k1', 't1')
    await send('k1', 't2')
    expect(receiver.faults).toEqual([
      'a message without Idempotency-Key, or in a form that is not understood',
      'key k1 came for two transitions'
    ])
  })
})
