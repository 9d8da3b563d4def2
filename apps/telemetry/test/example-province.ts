import type { Station } from '#libs/model'
import type { Standards } from '#libs/pipeline'
import { readStandards } from '#libs/pipeline'
import type { Registry } from '#libs/platform'
import { loadRegistry } from '#libs/platform'

interface ExampleProvince {
  readonly registry: Registry
  readonly stations: readonly Station[]
  readonly standards: Standards
}

/** The registry that ships, with what its values are held against. */
export async function exampleProvince(): Promise<ExampleProvince> {
  const registry = await loadRegistry('devices/registry', 'devices')
  const { stations } = registry
  const read = readStandards(registry, stations)
  if (!read.ok) throw new Error(read.problems.join('\n'))
  return { registry, stations, standards: read.standards }
}
