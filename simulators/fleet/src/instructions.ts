import { z } from 'zod'
import { STATION_CODE } from '#libs/model'
import { ScenarioError } from './scenario.js'

/** What the fleet is told on its standard input, as one line: secrets never stand on a command line. */
const Instructions = z.strictObject({
  url: z.string().regex(/^mqtt:\/\/[^/]+$/, 'must look like mqtt://127.0.0.1:1883'),
  registryDir: z.string().min(1),
  devicesDir: z.string().min(1),
  scenario: z.string().min(1),
  /** The stations to play; each must be in the registry. */
  stations: z.array(z.strictObject({ code: z.string().regex(STATION_CODE, 'no station code'), secret: z.string().min(1) })).min(1)
})
export type Instructions = z.infer<typeof Instructions>

/** Throws ScenarioError, which quotes nothing of the line. */
export function parseInstructions(line: string): Instructions {
  let raw: unknown
  try {
    raw = JSON.parse(line)
  } catch {
    throw new ScenarioError('the instructions', ['the first line of standard input is not JSON'])
  }
  const parsed = Instructions.safeParse(raw)
  if (parsed.success) return parsed.data
  throw new ScenarioError(
    'the instructions',
    parsed.error.issues.map(issue => `${issue.path.join('.')}: ${issue.message}`)
  )
}
