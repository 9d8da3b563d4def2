import type { TokenRole } from '#libs/pipeline'
import { TOKEN_ROLES } from '#libs/pipeline'
import type { Command } from './command.js'
import { textOption, usageError } from './command.js'
import { withState } from './with-state.js'

const isRole = (text: string | undefined): text is TokenRole => TOKEN_ROLES.some(role => role === text)

const tokenAdd: Command = {
  words: 'token add',
  usage: 'NAME --role reader|operator|ingest',
  help: 'makes an API token and prints it, once',
  options: { role: { type: 'string' } },
  async run({ config, positional, options, print }) {
    const [name] = positional
    const role = textOption(options, 'role')
    if (!name || !isRole(role)) throw usageError(tokenAdd, 'a name and a role are needed')
    print(await withState(config, state => state.tokens.add(name, role)))
    return 0
  }
}

const tokenList: Command = {
  words: 'token list',
  usage: '',
  help: 'names and roles',
  async run({ config, print }) {
    const tokens = await withState(config, state => state.tokens.list())
    for (const { name, role } of tokens) print(`${role.padEnd(9)} ${name}`)
    return 0
  }
}

const tokenRemove: Command = {
  words: 'token remove',
  usage: 'NAME',
  help: 'ends a token at once',
  async run({ config, positional }) {
    const [name] = positional
    if (!name) throw usageError(tokenRemove, 'a name is needed')
    await withState(config, state => state.tokens.remove(name))
    return 0
  }
}

const CHANNELS = ['webhook', 'email'] as const
const LANGUAGES = ['vi', 'en'] as const
const SEVERITIES = ['tendency', 'preparing', 'exceeds'] as const

function oneOf<T extends string>(choices: readonly T[], text: string | undefined, fallback: T | null): T | null {
  if (text === undefined) return fallback
  return choices.find(choice => choice === text) ?? null
}

const recipientAdd: Command = {
  words: 'recipient add',
  usage: '--channel webhook|email --target URL|ADDRESS [--language vi|en] [--from tendency|preparing|exceeds] [--stations A,B]',
  help: 'who is told of alarms; prints a webhook’s signing secret, once',
  options: {
    channel: { type: 'string' },
    target: { type: 'string' },
    language: { type: 'string' },
    from: { type: 'string' },
    stations: { type: 'string' }
  },
  async run({ config, options, print }) {
    const channel = oneOf(CHANNELS, textOption(options, 'channel'), null)
    const target = textOption(options, 'target')
    const language = oneOf(LANGUAGES, textOption(options, 'language'), 'vi')
    const minimumSeverity = oneOf(SEVERITIES, textOption(options, 'from'), 'tendency')
    if (!channel || !target || !language || !minimumSeverity)
      throw usageError(recipientAdd, 'channel and target are needed, each with a known word')
    const stations = textOption(options, 'stations')?.split(',') ?? null
    const added = await withState(config, state => state.recipients.add({ channel, target, language, minimumSeverity, stations }))
    if (added.secret !== null) print(added.secret)
    return 0
  }
}

const recipientList: Command = {
  words: 'recipient list',
  usage: '',
  help: 'who is told of alarms',
  async run({ config, print }) {
    const recipients = await withState(config, state => state.recipients.list())
    for (const r of recipients) print(`${r.id.padEnd(14)} ${r.channel.padEnd(8)} ${r.minimumSeverity.padEnd(9)} ${r.target}`)
    return 0
  }
}

const recipientRemove: Command = {
  words: 'recipient remove',
  usage: 'ID',
  help: 'tells this recipient no more',
  async run({ config, positional }) {
    const [id] = positional
    if (!id) throw usageError(recipientRemove, 'an id of recipient list is needed')
    await withState(config, state => state.recipients.remove(id))
    return 0
  }
}

const outboxList: Command = {
  words: 'outbox list',
  usage: '',
  help: 'messages that were given up, with the reason',
  async run({ config, print }) {
    const [stats, failed] = await withState(
      config,
      async ({ outbox }) => [await outbox.stats(), await outbox.failedMessages({ limit: 100 })] as const
    )
    print(`pending ${stats.pending} failed ${stats.failed}`)
    for (const { key, channel, target, reason } of failed.items) print(`${key} ${channel} ${target}: ${reason}`)
    return 0
  }
}

const outboxRedo: Command = {
  words: 'outbox redo',
  usage: 'KEY',
  help: 'sends a message that was given up once more',
  async run({ config, positional }) {
    const [key] = positional
    if (!key) throw usageError(outboxRedo, 'a key of outbox list is needed')
    await withState(config, state => state.outbox.redo(key))
    return 0
  }
}

export const tokenCommands: readonly Command[] = [tokenAdd, tokenList, tokenRemove]
export const recipientCommands: readonly Command[] = [recipientAdd, recipientList, recipientRemove]
export const outboxCommands: readonly Command[] = [outboxList, outboxRedo]
