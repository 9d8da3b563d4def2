import { z } from 'zod'

const Weight = z.int().min(0).max(1_000)

/** Weights of the criteria in the index. The source has weighted means and names no weights (regulations.md 6.1): equal unless set. */
const Weights = z
  .strictObject({ correct: Weight.default(1), complete: Weight.default(1), clean: Weight.default(1), live: Weight.default(1) })
  .refine(weights => Object.values(weights).some(weight => weight > 0), 'at least one criterion must weigh something')
  .readonly()

/** From which score on a data set is green or yellow: regulations.md 6.1, green >= 90, yellow 75 to < 90, red < 75. */
const Bands = z
  .strictObject({ green: z.number().gt(0).max(100).default(90), yellow: z.number().gt(0).max(100).default(75) })
  .refine(bands => bands.yellow < bands.green, 'yellow must begin below green')
  .readonly()

/** How data quality is scored. */
export const DqiSettings = z
  .strictObject({
    weights: Weights.prefault({}),
    bands: Bands.prefault({}),
    /** A reading is live when it came no later than this after it was measured: 5 minutes (regulations.md 1.3). */
    liveWithinSeconds: z.number().gt(0).max(86_400).default(300)
  })
  .readonly()
export type DqiSettings = z.infer<typeof DqiSettings>

const Share = z.number().min(0).max(1)

/** When a station's year can be judged, and when its effluent met the standard. Every default is [inferred]: the plan names no figure. */
export const ZoneSettings = z
  .strictObject({
    /** Share of a day's expected readings from which on its verdict counts; customary for days (regulations.md 1.6). */
    dayCompleteness: Share.default(0.75),
    /** Share of the year's days that must have been judged. */
    yearCompleteness: Share.default(0.75),
    /** Days above the limit that a year may have and still have met the standard. */
    exceedingDays: z.int().min(0).max(366).default(0)
  })
  .readonly()
export type ZoneSettings = z.infer<typeof ZoneSettings>
