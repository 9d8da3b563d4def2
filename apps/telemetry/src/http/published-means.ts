import type { Aggregate } from '#libs/aggregates'
import type { Millis, Station } from '#libs/model'
import { convert, findParameter } from '#libs/model'
import type { AggregateLog } from '#libs/pipeline'

/** A year's days, and one more where a span begins in the middle of one. */
const MOST_DAYS = 367

/** The published days of a station with `from < end <= to`, at most a year of them, all parameters of a day together. */
export async function publishedDays(
  aggregates: Pick<AggregateLog, 'find'>,
  { code, parameters }: Pick<Station, 'code' | 'parameters'>,
  span: { readonly from: Millis; readonly to: Millis }
): Promise<Map<Millis, readonly Aggregate[]>> {
  const byDay = new Map<Millis, readonly Aggregate[]>()
  for (const parameter of parameters) {
    const { from, to } = span
    for (const day of await aggregates.find({ station: code, parameter, period: 'day', from, to, limit: MOST_DAYS }))
      byDay.set(day.end, [...(byDay.get(day.end) ?? []), day])
    // Each may be a year of days: others of the thread have their turn in between.
    await new Promise(resolve => setImmediate(resolve))
  }
  return byDay
}

/** The mean in the parameter's canonical unit; undefined where there is none, or it cannot be told in it. */
export function canonicalMean({ parameter, mean, unit }: Pick<Aggregate, 'parameter' | 'mean' | 'unit'>): number | undefined {
  const canonical = findParameter(parameter)?.unit
  return mean === null || canonical === undefined ? undefined : convert(mean, unit, canonical)
}
