import { z } from 'zod'
import { DURATION, STATION_CODE, STATION_KINDS } from '#libs/model'

const RuleId = z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'a rule id is kebab-case, such as cod-high')

/** To whom a rule applies: one of the three. A silence rule may have none and then holds for every station. */
const selectors = {
  stations: z.array(z.string().regex(STATION_CODE, 'not a station code')).min(1).optional(),
  /** A folder under `devices/`. */
  profile: z.string().min(1).optional(),
  kinds: z.array(z.enum(STATION_KINDS)).min(1).optional()
}

/** Shares of the limit at which warning begins. The names are Envisoft's, the shares the customary ones (regulations.md 9). */
const Bands = z.strictObject({ tendency: z.number().gt(0).lt(1).default(0.8), preparing: z.number().gt(0).lt(1).default(0.9) })

/** Most readings that a k-of-n condition looks back upon. */
const LONGEST_RUN = 12
const Run = z.int().min(1).max(LONGEST_RUN)

export const LimitRule = z.strictObject({
  id: RuleId,
  parameter: z.string().min(1),
  ...selectors,
  /** An upper limit, a lower limit, or both, in `unit`. */
  high: z.number().optional(),
  low: z.number().optional(),
  unit: z.string().optional(),
  /**
   * `permit`: the limits that the law gives each station for the parameter (regulation, column, coefficients, dates, levels). Then the rule
   * has no number, unit, bands, source or dates of its own, only k of n and the dead-band.
   */
  limit: z.literal('permit').optional(),
  /** True where the level counts as soon as it is reached, as with flood levels (`H >= value`, regulations.md 5.1). */
  reached: z.boolean().default(false),
  /** 80 and 90 % unless said otherwise. `none`: only the limit itself counts, as with water levels, whose zero is a convention. */
  bands: z.union([z.literal('none'), Bands]).optional(),
  /**
   * A band is entered when k of the last n usable readings are in it, and left after k readings past the dead-band.
   * For 5-minute data this takes the place of an on-delay (regulations.md 7.3): 2 of 3 ignores a single spike and waits one reading.
   */
  consecutive: z.strictObject({ k: Run, n: Run }).default({ k: 2, n: 3 }),
  /** Share of the way to the limit by which a value must fall back before it counts as cleared: 1–5 % (regulations.md 7.3). */
  deadband: z.number().min(0).max(0.5).default(0.02),
  /** Where a number comes from, in words. A verdict without a source is none. */
  source: z.string().min(1).optional(),
  /** What the level is called, where it has a name of its own: `Báo động II`. */
  severity: z.string().min(1).optional(),
  /** First and last day, `2026-01-01` (UTC+7), or an RFC 3339 instant. Readings outside are not judged by the rule. */
  validFrom: z.string().optional(),
  validTo: z.string().optional()
})
export type LimitRule = z.infer<typeof LimitRule>

export const SilenceRule = z.strictObject({
  id: RuleId,
  /** Longest permitted time without a reading: `90s`, `15m`, `2h`, `1d`. */
  silence: z.string().regex(DURATION, 'a time span looks like 15m'),
  ...selectors
})
export type SilenceRule = z.infer<typeof SilenceRule>

/** Chooses by the key that tells the two kinds apart, so that a mistake is reported in the words of the kind that was meant. */
const AlarmRule = z.looseObject({}).transform((value, context): LimitRule | SilenceRule => {
  const parsed = 'silence' in value ? SilenceRule.safeParse(value) : LimitRule.safeParse(value)
  if (parsed.success) return parsed.data
  for (const issue of parsed.error.issues) context.addIssue({ code: 'custom', path: [...issue.path], message: issue.message })
  return z.NEVER
})

/** `registry/rules.yaml`. Its shape is checked here; what the rules say, by `compileRules`. */
export const AlarmRules = z.strictObject({ rules: z.array(AlarmRule).max(10_000) })
export type AlarmRules = z.infer<typeof AlarmRules>
