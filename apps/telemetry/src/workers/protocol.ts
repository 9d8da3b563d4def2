import type { RuleTerms } from '#libs/alarms'
import type { AlarmTransition, ConsumerPosition } from '#libs/pipeline'
import type { FaultPoint, LogOptions } from '#libs/platform'

/** What the consumers' thread is given at its start. */
export interface ConsumersSetup {
  readonly dataDir: string
  readonly rules: RuleTerms
  readonly log: LogOptions
  readonly fault: { readonly point: FaultPoint; readonly after: number } | null
}

export type ToConsumers = { readonly type: 'committed' } | { readonly type: 'stop' }

/** Readings by what the store did with them, since the start. */
export interface StoreCounts {
  readonly stored: number
  readonly replaced: number
  readonly repeated: number
  readonly conflicts: number
}

export type FromConsumers =
  | { readonly type: 'started' }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  | { readonly type: 'report'; readonly positions: readonly ConsumerPosition[]; readonly store: StoreCounts; readonly unreadable: number }
  | { readonly type: 'transitions'; readonly transitions: readonly AlarmTransition[] }
