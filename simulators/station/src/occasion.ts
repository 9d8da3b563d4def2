import { type Millis, SECOND } from '#libs/model'

/** When something happens, in seconds after the scenario's start; with `everyS` again and again. */
export interface Occasion {
  readonly startS: number
  readonly forS: number
  readonly everyS?: number | undefined
}

/** One thing that happens to a device. `parameter` missing = all that the station measures. */
export type Happening = Occasion &
  (
    | { readonly kind: 'excess'; readonly parameter: string /** In the profile's unit. */; readonly to: number; readonly rampS: number }
    | { readonly kind: 'calibration'; readonly parameter?: string | undefined }
    | { readonly kind: 'fault'; readonly parameter?: string | undefined }
    | { readonly kind: 'gap' }
    | { readonly kind: 'outage' }
    | { readonly kind: 'bad-unit'; readonly parameter: string; readonly unit: string }
  )

/** Seconds since an occasion began, while it lasts; undefined otherwise. `since` counts from the scenario's start. */
export function elapsed(occasion: Occasion, since: Millis): number | undefined {
  const after = since / SECOND - occasion.startS
  if (after < 0) return undefined
  const within = occasion.everyS === undefined ? after : after % occasion.everyS
  return within < occasion.forS ? within : undefined
}

/** How far an excess has got, 0 … 1: it rises for `rampS`, stays, and falls for `rampS` before its end. */
export function ramp(within: number, forS: number, rampS: number): number {
  if (rampS === 0) return 1
  return Math.max(0, Math.min(1, within / rampS, (forS - within) / rampS))
}
