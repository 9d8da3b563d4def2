import type { Millis } from '#libs/model'
import { parseDayOrInstant } from '#libs/model'
import type { Call, Command } from './command.js'
import { textOption, usageError } from './command.js'

/** An option that is a date of UTC+7 or an instant. @throws CodedError QT_OPS_USAGE */
export function instantOption(command: Command, options: Call['options'], name: string): Millis | undefined {
  const text = textOption(options, name)
  if (text === undefined) return undefined
  const at = parseDayOrInstant(text)
  if (at === undefined) throw usageError(command, `--${name} is a date (of UTC+7) or an RFC 3339 instant with its zone`)
  return at
}
