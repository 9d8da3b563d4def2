import { hash } from 'node:crypto'
import { formatInstant, type Millis } from '#libs/model'
import { type Aggregate, warehouseChecksum, warehouseKey } from '#libs/pipeline'

/** An aggregate as it is sent. */
export interface Item {
  readonly key: string
  readonly revision: number
  readonly json: string
}

const instant = (at: Millis | undefined): string | null => (at === undefined ? null : formatInstant(at))

/** An item of the contract (`apps/telemetry/docs/warehouse.openapi.yaml`). */
export function toItem(aggregate: Aggregate): Item {
  const { start, end, min, max, ...rest } = aggregate
  const key = warehouseKey(aggregate)
  const json = JSON.stringify({
    key,
    ...rest,
    start: formatInstant(start),
    end: formatInstant(end),
    min: min?.value ?? null,
    minAt: instant(min?.at),
    max: max?.value ?? null,
    maxAt: instant(max?.at),
    checksum: warehouseChecksum(aggregate)
  })
  return { key, revision: aggregate.revision, json }
}

export interface BatchLimits {
  readonly maxItems: number
  readonly maxBytes: number
}

const ENVELOPE_BYTES = '{"items":[]}'.length

/** How many items from `from` on fit into one request; one at least. */
export function fitting(items: readonly Item[], from: number, { maxItems, maxBytes }: BatchLimits): number {
  let bytes = ENVELOPE_BYTES
  let count = 0
  while (count < maxItems && from + count < items.length) {
    bytes += Buffer.byteLength(items[from + count]?.json ?? '') + 1
    if (bytes > maxBytes && count > 0) break
    count += 1
  }
  return count
}

export const toBody = (items: readonly Item[]): string => `{"items":[${items.map(({ json }) => json).join(',')}]}`

/** The same for the same items in the same order, whenever and by whichever process they are sent. */
export const idempotencyKey = (items: readonly Item[]): string => hash('sha256', items.map(({ key }) => key).join('\n'), 'hex')
