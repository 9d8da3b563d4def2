import { describe, expect, it } from '@jest/globals'
import { EmailNotifier, parseSmtp, SmtpConfigError } from './index.js'

const from = 'alarms@quantrac.example'
const thrownBy = (act: () => unknown): Error => {
  try {
    act()
  } catch (error) {
    return error as Error
  }
  throw new Error('nothing was thrown')
}

describe('parseSmtp', () => {
  it.each([
    ['smtp://mail.example', { host: 'mail.example', port: 587, secure: false }],
    ['smtps://mail.example', { host: 'mail.example', port: 465, secure: true }],
    ['smtp://127.0.0.1:2525/', { host: '127.0.0.1', port: 2525, secure: false }],
    ['smtp://[::1]:25', { host: '::1', port: 25, secure: false }],
    ['smtp://u%40v:p%25%3A@mail.example', { host: 'mail.example', port: 587, secure: false, user: 'u@v', password: 'p%:' }]
  ])('reads %s', (url, config) => expect(parseSmtp({ url, from })).toEqual({ ...config, from }))

  it.each([
    ['http://mail.example', from],
    ['mail.example', from],
    ['smtp://', from],
    ['smtp://mail.example/box', from],
    ['smtp://mail.example?pool=true', from],
    ['smtp://user@mail.example', from],
    ['smtp://user:%E0%A4@mail.example', from],
    ['smtp://mail.example', 'nobody'],
    ['smtp://mail.example', 'a@b.example, c@d.example'],
    ['smtp://mail.example', 'a@b.example\r\nBcc: c@d.example'],
    ['smtp://mail.example', 'Name <a@b.example'],
    ['smtp://mail.example', 'a@b.example>']
  ])('refuses %s from %j', (url, sender) => {
    const error = thrownBy(() => parseSmtp({ url, from: sender }))
    expect(error).toBeInstanceOf(SmtpConfigError)
    expect(error).toMatchObject({ code: 'QT_SMTP_CONFIG_INVALID' })
  })

  it('never tells the password', () => {
    const error = thrownBy(
      () =>
        new EmailNotifier({
          smtp: { url: 'smtp://u:bi-mat@bad_host!', from },
          languageOf: async () => null,
          text: () => ({ subject: '', body: '' })
        })
    )
    expect(error).toBeInstanceOf(SmtpConfigError)
    expect(error.message).not.toContain('bi-mat')
  })
})
