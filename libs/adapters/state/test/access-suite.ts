import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { NewRecipient } from '../src/recipients.js'
import { hashSecret, newSecret } from '../src/secrets.js'
import type { State, StatePlace } from '../src/state.js'
import { type Bench, codeOfRejection, NOON, raised } from './fixtures.js'

export function accessSuite(bench: Bench): void {
  let place: StatePlace
  let state: State
  beforeEach(async () => {
    place = await bench.place()
    state = await bench.open(place)
  })
  afterEach(() => bench.clear())

  describe('secrets', () => {
    it('have 160 bits in 32 characters that a shell, a URL and a voice can carry', () => {
      const secrets = Array.from({ length: 500 }, newSecret)
      for (const secret of secrets) expect(secret).toMatch(/^[a-z2-7]{32}$/)
      expect(new Set(secrets).size).toBe(500)
      // Every place takes every letter sooner or later: no bit is stuck.
      for (let place = 0; place < 32; place += 1) expect(new Set(secrets.map(secret => secret[place])).size).toBe(32)
    })

    it('are hashed with SHA-256', () => {
      expect(hashSecret('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    })
  })

  describe('station credentials', () => {
    it('accepts each of a station’s secrets, for that station alone', async () => {
      await state.credentials.set('AG-BINHHOA', 'logger', hashSecret('one'))
      await state.credentials.set('AG-BINHHOA', 'technician', hashSecret('two'))
      await state.credentials.set('AG-VAMNAO', 'logger', hashSecret('three'))
      expect(await state.credentials.find('AG-BINHHOA', hashSecret('one'))).toMatchObject({ label: 'logger' })
      expect(await state.credentials.find('AG-BINHHOA', hashSecret('two'))).toMatchObject({ label: 'technician' })
      expect(await state.credentials.find('AG-BINHHOA', hashSecret('three'))).toBeNull()
      expect(await state.credentials.find('AG-NOBODY', hashSecret('one'))).toBeNull()
      expect(await state.credentials.find('AG-BINHHOA', 'not a hash')).toBeNull()
    })

    it('replaces a label’s secret, lists without hashes, removes', async () => {
      await state.credentials.set('AG-BINHHOA', 'logger', hashSecret('old'))
      bench.now += 1
      await state.credentials.set('AG-BINHHOA', 'logger', hashSecret('new'))
      expect(await state.credentials.find('AG-BINHHOA', hashSecret('old'))).toBeNull()
      expect(await state.credentials.list()).toEqual([{ station: 'AG-BINHHOA', label: 'logger', createdAt: NOON + 1 }])
      expect(await state.credentials.remove('AG-BINHHOA', 'logger')).toBe(true)
      expect(await state.credentials.remove('AG-BINHHOA', 'logger')).toBe(false)
      expect(await state.credentials.find('AG-BINHHOA', hashSecret('new'))).toBeNull()
    })

    it('refuses what is no station, label or hash', async () => {
      const wrong: [string, string, string][] = [
        ['../etc', 'logger', hashSecret('x')],
        ['AG-BINHHOA', '', hashSecret('x')],
        ['AG-BINHHOA', 'a\nb', hashSecret('x')],
        ['AG-BINHHOA', 'logger', 'x'],
        ['AG-BINHHOA', 'logger', hashSecret('x').toUpperCase()]
      ]
      for (const row of wrong) expect([row, await codeOfRejection(state.credentials.set(...row))]).toEqual([row, 'QT_CREDENTIAL_INVALID'])
      expect(await state.credentials.list()).toEqual([])
    })
  })

  describe('API tokens', () => {
    it('shows a token once and keeps its hash alone', async () => {
      const token = await state.tokens.add('warehouse', 'ingest')
      expect(token).toMatch(/^qt_[a-z2-7]{32}$/)
      expect(await state.tokens.find(token)).toEqual({ name: 'warehouse', role: 'ingest' })
      expect(await state.tokens.list()).toEqual([{ name: 'warehouse', role: 'ingest', createdAt: NOON }])
      const kept = JSON.stringify(await bench.home.query(place, 'select * from tokens'))
      expect(kept).toContain(hashSecret(token))
      expect(kept).not.toContain(token.slice(3))
    })

    it('knows no other text', async () => {
      const token = await state.tokens.add('warehouse', 'ingest')
      for (const text of ['', 'qt_', token.slice(3), `${token} `, token.toUpperCase(), `qt_${newSecret()}`, 'x'.repeat(100_000)]) {
        expect(await state.tokens.find(text)).toBeNull()
      }
    })

    it('does not overwrite a name, and forgets what is removed', async () => {
      const token = await state.tokens.add('warehouse', 'ingest')
      expect(await codeOfRejection(state.tokens.add('warehouse', 'operator'))).toBe('QT_TOKEN_EXISTS')
      expect(await codeOfRejection(state.tokens.add('two words', 'operator'))).toBe('QT_TOKEN_INVALID')
      expect(await state.tokens.find(token)).toEqual({ name: 'warehouse', role: 'ingest' })
      expect(await state.tokens.remove('warehouse')).toBe(true)
      expect(await state.tokens.remove('warehouse')).toBe(false)
      expect(await state.tokens.find(token)).toBeNull()
    })
  })

  const hook: NewRecipient = {
    channel: 'webhook',
    target: 'https://hooks.example/qt?k=1',
    language: null,
    minimumSeverity: 'tendency',
    stations: null
  }
  const mail: NewRecipient = {
    channel: 'email',
    target: 'Truc.Ban@angiang.Example',
    language: 'vi',
    minimumSeverity: 'exceeds',
    stations: ['AG-B', 'AG-A', 'AG-B']
  }

  describe('recipients', () => {
    it('gives a webhook its signing secret, lists without it', async () => {
      const added = await state.recipients.add(hook)
      expect(added.secret).toMatch(/^qtw_[a-z2-7]{32}$/)
      expect(await state.recipients.signingSecret(hook.target)).toBe(added.secret)
      const mailed = await state.recipients.add(mail)
      expect(mailed.secret).toBeNull()
      expect(mailed.recipient).toMatchObject({ target: 'Truc.Ban@angiang.example', stations: ['AG-A', 'AG-B'] })
      const list = await state.recipients.list()
      expect(list).toHaveLength(2)
      expect(JSON.stringify(list)).not.toContain('qtw_')
      expect(await state.recipients.find('email', 'Truc.Ban@angiang.example')).toEqual(mailed.recipient)
    })

    it('takes a target once', async () => {
      await state.recipients.add(hook)
      expect(await codeOfRejection(state.recipients.add({ ...hook, language: 'en' }))).toBe('QT_RECIPIENT_EXISTS')
    })

    it('gives up what waits for a recipient that is removed, and nothing else', async () => {
      const { recipient } = await state.recipients.add(hook)
      await state.alarmLog.record([raised('a'), raised('b')], 1)
      expect(await state.recipients.remove(recipient.id)).toBe(true)
      expect(await state.recipients.remove(recipient.id)).toBe(false)
      expect(await state.recipients.signingSecret(hook.target)).toBeNull()
      expect(await state.outbox.stats()).toMatchObject({ pending: 2, failed: 2 })
      const { items } = await state.outbox.failedMessages({ limit: 10 })
      expect(items.map(({ channel, reason }) => [channel, reason])).toEqual(Array(2).fill(['webhook', 'the recipient was removed']))
    })

    it('refuses what is no plain web address, mail address or list of stations', async () => {
      const urls = [
        'ftp://example/x',
        'javascript:alert(1)',
        'file:///etc/passwd',
        'https://user:secret@example/',
        'https://user@example/',
        'https://example/#part',
        'not a url',
        '',
        `https://example/${'x'.repeat(2_048)}`
      ]
      const addresses = [
        'nobody',
        'a@b, c@d',
        'Ban <a@b>',
        'a b@c',
        '"a"@b',
        'a@b\r\nBcc: c@d',
        'a@-b',
        'a..b@c',
        '@b',
        'a@',
        `${'x'.repeat(250)}@b.vn`
      ]
      const stations = [[], ['lower'], ['AG-A', 'a/b']]
      const wrong = [
        ...urls.map(target => ({ ...hook, target })),
        ...addresses.map(target => ({ ...mail, target })),
        ...stations.map(codes => ({ ...mail, stations: codes }))
      ]
      for (const row of wrong) expect([row, await codeOfRejection(state.recipients.add(row))]).toEqual([row, 'QT_RECIPIENT_INVALID'])
      expect(await state.recipients.list()).toEqual([])
    })

    it('takes any plain URL and address, whatever is in it', async () => {
      const urls = fc.webUrl({ withQueryParameters: true }).map(target => ({ ...hook, target }))
      const addresses = fc.stringMatching(/^[a-z0-9]{1,12}(\.[a-z]{1,8})?@[a-z]{1,12}\.vn$/).map(target => ({ ...mail, target }))
      await fc.assert(
        fc.asyncProperty(fc.oneof(urls, addresses), async recipient => {
          const added = await state.recipients.add(recipient)
          expect(await state.recipients.find(recipient.channel, added.recipient.target)).toEqual(added.recipient)
          await state.recipients.remove(added.recipient.id)
        }),
        { numRuns: 20 }
      )
    })
  })
}
