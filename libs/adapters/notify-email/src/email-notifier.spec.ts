import { createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { SMTPServerOptions } from 'smtp-server'
import type { OutboxMessage } from '#libs/pipeline'
import { alarm, messageTo, NOW, raised, text } from '../test/fixtures.js'
import { type Delivered, MailServer, refusal } from '../test/mail-server.js'
import { EmailNotifier, type Language } from './index.js'

const FROM = 'Quan trắc An Giang <alarms@quantrac.example>'
const TO = 'truc.ban@angiang.example'
const servers: MailServer[] = []
let unanswered = new AbortController()

const start = async (options: SMTPServerOptions = {}): Promise<MailServer> => {
  const server = await MailServer.start(options)
  servers.push(server)
  return server
}
const notifier = (port: number, { language = 'vi', login = '' }: { language?: Language | null; login?: string } = {}) =>
  new EmailNotifier({
    smtp: { url: `smtp://${login}127.0.0.1:${port}`, from: FROM },
    languageOf: async () => language,
    text,
    clock: () => NOW
  })
const deliver = (port: number, target = TO, more: Partial<OutboxMessage> = {}) =>
  notifier(port).deliver(messageTo(target, more), unanswered.signal)
const header = (mail: Delivered | undefined, name: string) => mail?.headers.get(name)

afterEach(async () => {
  unanswered = new AbortController()
  await Promise.all(servers.splice(0).map(server => server.stop()))
})

describe('a mail', () => {
  it('arrives, with its Vietnamese intact', async () => {
    const server = await start()
    expect(await deliver(server.port)).toEqual({ outcome: 'delivered' })
    expect(server.mails).toHaveLength(1)
    const [mail] = server.mails
    expect(mail).toMatchObject({ from: 'alarms@quantrac.example', to: [TO] })
    expect(header(mail, 'from')).toEqual([FROM])
    expect(header(mail, 'to')).toEqual([TO])
    expect(header(mail, 'subject')).toEqual(['[BÁO ĐỘNG] COD 95,35 mg/L – Trạm nước thải KCN Bình Hòa (AG-X)'])
    expect(mail?.text).toBe('Trạm AG-X: Nhu cầu oxy hóa học vượt giới hạn\nĐơn vị: mg/L, 95,35 > 90')
    expect(header(mail, 'content-type')).toEqual(['text/plain; charset=utf-8'])
    expect(header(mail, 'content-language')).toEqual(['vi'])
    expect(header(mail, 'date')).toEqual(['Tue, 24 Nov 2026 03:06:30 +0000'])
    expect(header(mail, 'auto-submitted')).toEqual(['auto-generated'])
  })

  it('is in English for whoever reads English', async () => {
    const server = await start()
    await notifier(server.port, { language: 'en' }).deliver(messageTo(TO), unanswered.signal)
    const [mail] = server.mails
    expect(header(mail, 'subject')).toEqual(['[ALARM] AG-X'])
    expect(mail?.text).toBe('Station AG-X: raised, above the limit')
  })

  it('is in both languages, Vietnamese first, for whoever has chosen none', async () => {
    const server = await start()
    await notifier(server.port, { language: null }).deliver(messageTo(TO), unanswered.signal)
    const [mail] = server.mails
    expect(header(mail, 'subject')?.[0]).toMatch(/^\[BÁO ĐỘNG\] .* \/ \[ALARM\] AG-X$/)
    expect(mail?.text).toMatch(/^Trạm AG-X: .*\n\n––––––––––\n\nStation AG-X: raised/s)
    expect(header(mail, 'content-language')).toEqual(['vi, en'])
  })

  it('has the same Message-ID when it is sent again, and another one than any other message', async () => {
    const server = await start()
    await deliver(server.port)
    await deliver(server.port)
    await deliver(server.port, TO, { key: 'another\r\nkey' })
    const [first, again, other] = server.mails.map(mail => header(mail, 'message-id')?.[0])
    expect(first).toMatch(/^<[0-9a-f]{32}@quantrac\.example>$/)
    expect(again).toBe(first)
    expect(other).toMatch(/^<[0-9a-f]{32}@quantrac\.example>$/)
    expect(other).not.toBe(first)
  })

  it('stands in one thread with all of its alarm, and of no other alarm', async () => {
    const server = await start()
    await deliver(server.port)
    await deliver(server.port, TO, { key: 'cleared', transition: { ...raised, id: 'cleared', kind: 'cleared' } })
    await deliver(server.port, TO, { key: 'other', transition: { ...raised, alarm: { ...alarm, id: 'AG-Y.pH.ph.20261124T030500Z' } } })
    const threads = server.mails.map(mail => header(mail, 'in-reply-to')?.[0])
    expect(threads[0]).toMatch(/^<alarm\.[0-9a-f]{32}@quantrac\.example>$/)
    expect(threads[1]).toBe(threads[0])
    expect(threads[2]).not.toBe(threads[0])
    expect(server.mails.map(mail => header(mail, 'references')?.[0])).toEqual(threads)
  })

  it('leaves no connection behind', async () => {
    const server = await start()
    await deliver(server.port)
    await until(() => server.connections === 0)
  })
})

describe('nothing can add a header or a recipient', () => {
  it.each([
    'a@b.example\r\nBcc: c@d.example',
    'a@b.example\nRCPT TO:<c@d.example>',
    'a@b.example, c@d.example',
    'a@b.example;c@d.example',
    'Name <a@b.example>',
    'group: a@b.example;',
    '"a@b"@c.example',
    'nobody',
    ''
  ])('a target that is not one plain address is rejected: %j', async target => {
    const server = await start()
    expect(await deliver(server.port, target)).toEqual({ outcome: 'rejected', reason: 'not one plain mail address' })
    expect(server.mails).toEqual([])
  })

  it('a subject is one line, whatever it is made of', async () => {
    const server = await start({ hideSTARTTLS: true })
    const options = { smtp: { url: `smtp://127.0.0.1:${server.port}`, from: FROM }, languageOf: async () => 'vi' as const }
    const hostile = fc.string({
      unit: fc.constantFrom('\r', '\n', '\u2028', '\u0085', '\0', 'Bcc: c@d.example', 'đ', ' '),
      minLength: 1,
      maxLength: 12
    })
    await fc.assert(
      fc.asyncProperty(hostile, async subject => {
        const evil = new EmailNotifier({ ...options, text: () => ({ subject: `x${subject}`, body: '.\r\nBcc: c@d.example' }) })
        expect(await evil.deliver(messageTo(TO), unanswered.signal)).toEqual({ outcome: 'delivered' })
        const mail = server.mails.at(-1)
        expect(mail?.to).toEqual([TO])
        expect(header(mail, 'bcc')).toBeUndefined()
        expect(header(mail, 'subject')).toEqual([`x${subject}`.replace(/[\p{Cc}\u2028\s]+/gu, ' ').trim()])
      }),
      { numRuns: 20 }
    )
  })
})

describe('what becomes of it', () => {
  const refusing = (code: number) => start({ onRcptTo: (_address, _session, done) => done(refusal(code, 'không nhận')) })

  it('is rejected when the server knows no such recipient (550)', async () => {
    const { port } = await refusing(550)
    expect(await deliver(port)).toEqual({ outcome: 'rejected', reason: expect.stringContaining('550') })
  })

  it('is tried again when the recipient cannot be served now (451)', async () => {
    const { port } = await refusing(451)
    expect(await deliver(port)).toEqual({ outcome: 'retry', reason: expect.stringContaining('451') })
  })

  it.each([
    [554, 'rejected'],
    [452, 'retry']
  ])('follows the answer to the message itself: %i is %s', async (code, outcome) => {
    const onData: SMTPServerOptions['onData'] = (stream, _session, done) =>
      void stream.resume().on('end', () => done(refusal(code, 'not this one')))
    const { port } = await start({ onData })
    expect(await deliver(port)).toMatchObject({ outcome })
  })

  it.each([554, 421])('is tried again when the server turns everybody away (%i)', async code => {
    const { port } = await start({ onConnect: (_session, done) => done(refusal(code, 'no service')) })
    expect(await deliver(port)).toMatchObject({ outcome: 'retry' })
  })

  it('is tried again while the server wants a log-in that we do not have (530)', async () => {
    const { port } = await start({ authOptional: false })
    expect(await deliver(port)).toEqual({ outcome: 'retry', reason: expect.stringContaining('530') })
  })

  it('is tried again when there is no server', async () => {
    const { port } = await start()
    await servers.pop()!.stop()
    expect(await deliver(port)).toEqual({ outcome: 'retry', reason: expect.stringContaining('ECONNREFUSED') })
  })

  it('is tried again when the server hangs up in the middle', async () => {
    const server = createServer(socket =>
      socket
        .resume()
        .on('error', () => undefined)
        .end('220 mail.example ESMTP\r\n')
    )
    const port = await listening(server)
    expect(await deliver(port)).toMatchObject({ outcome: 'retry' })
    await new Promise(resolve => server.close(resolve))
  })

  it.each([
    ['before its greeting', () => undefined],
    ['after it', (socket: Socket) => socket.write('220 mail.example ESMTP\r\n')]
  ])('is tried again when the signal ends the wait for a server that hangs %s, and the connection with it', async (_when, hang) => {
    const server = createServer({ allowHalfOpen: true }, socket => {
      hang(socket)
      socket.resume().on('error', () => undefined)
      // It never closes its side; only a connection that is really gone takes no more of this.
      socket.on('end', () => {
        const talk = setInterval(() => socket.write('250-\r\n'), 20)
        socket.on('close', () => clearInterval(talk))
      })
      setTimeout(() => unanswered.abort(), 20)
    })
    const port = await listening(server)
    expect(await deliver(port)).toEqual({ outcome: 'retry', reason: 'no answer in time' })
    await new Promise(resolve => server.close(resolve))
  })

  it('is not begun once the signal has spoken', async () => {
    const server = await start()
    unanswered.abort()
    expect(await deliver(server.port)).toEqual({ outcome: 'retry', reason: 'no answer in time' })
    expect(server.mails).toEqual([])
  })
})

describe('logging in', () => {
  const onAuth: SMTPServerOptions['onAuth'] = ({ username, password }, _session, done) =>
    password === 'mật khẩu@%' ? done(null, { user: username }) : done(refusal(535, 'wrong'))
  const login = (password: string) => `gateway:${encodeURIComponent(password)}@`

  it('works with any characters in the password, over STARTTLS where the server of this machine offers it', async () => {
    const server = await start({ authOptional: false, onAuth })
    const delivery = await notifier(server.port, { login: login('mật khẩu@%') }).deliver(messageTo(TO), unanswered.signal)
    expect(delivery).toEqual({ outcome: 'delivered' })
    expect(server.mails[0]).toMatchObject({ isEncrypted: true, user: 'gateway' })
  })

  it('with a wrong password is ours to mend: the message waits, and its reason does not tell the password', async () => {
    const { port } = await start({ authOptional: false, onAuth })
    const delivery = await notifier(port, { login: login('sai-roi') }).deliver(messageTo(TO), unanswered.signal)
    expect(delivery).toEqual({ outcome: 'retry', reason: expect.stringContaining('535') })
    expect(JSON.stringify(delivery)).not.toContain('sai-roi')
  })

  // To this machine by another name than its own: for the notifier a server somewhere else.
  it.each([
    ['offers no TLS', { disabledCommands: ['STARTTLS'], allowInsecureAuth: true }],
    ['has a certificate that nobody vouches for', {}]
  ])('is not even begun where a server elsewhere %s', async (_what, options: SMTPServerOptions) => {
    const users: unknown[] = []
    const server = await start({ ...options, onAuth: ({ username }, _session, done) => done(null, { user: users.push(username) }) })
    const smtp = { url: `smtp://gateway:bi-mat@0.0.0.0:${server.port}`, from: FROM }
    const elsewhere = new EmailNotifier({ smtp, languageOf: async () => 'vi', text })
    expect(await elsewhere.deliver(messageTo(TO), unanswered.signal)).toEqual({
      outcome: 'retry',
      reason: expect.stringMatching(/TLS|certificate/i)
    })
    expect(users).toEqual([])
    expect(server.mails).toEqual([])
  })
})

async function listening(server: ReturnType<typeof createServer>): Promise<number> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as { port: number }).port
}

/** Waits for what must come; the test's own time-out is the bound. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 5))
}
