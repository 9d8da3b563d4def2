import type { Millis, Station } from '#libs/model'
import type { LawChange, LawDocument, LawSources } from '#libs/regulation'
import { compareLaw } from '#libs/regulation'
import type { Standards, StandardsSources } from './standards.js'
import { readStandards } from './standards.js'

export const LAW_KINDS = ['regulation', 'permit'] as const
export type LawKind = (typeof LAW_KINDS)[number]

/** A document that staff have loaded; null: withdrawn. */
export interface LoadedLaw {
  readonly kind: LawKind
  /** The document's id. */
  readonly key: string
  readonly document: unknown
}

/** A change as somebody asks for it. */
export interface LawDraft extends LoadedLaw {
  /** From when on something is different; null: nothing is, or it has no beginning. */
  readonly from: Millis | null
  readonly author: string
  /** The API token that was used. */
  readonly via: string | null
  readonly reason: string
}

/** A change in the list of all changes. */
export interface LawChangeEntry extends LawDraft {
  /** Its number: the state of the law after it. */
  readonly edition: number
  readonly changedAt: Millis
}

/** The registry's documents with what was loaded in their place or beside them. */
export function withLoaded(base: LawSources, loaded: readonly LoadedLaw[]): LawSources {
  return { regulations: overlaid(base.regulations, loaded, 'regulation'), permits: overlaid(base.permits, loaded, 'permit') }
}

function overlaid(base: readonly LawDocument[], loaded: readonly LoadedLaw[], kind: LawKind): LawDocument[] {
  const mine = loaded.filter(one => one.kind === kind)
  const kept = base.filter(({ content }) => !mine.some(({ key }) => key === keyOf(content)))
  const added = mine.filter(({ document }) => document !== null)
  return [...kept, ...added.map(({ key, document }) => ({ name: `loaded ${kind} ${key}`, content: document }))]
}

/** The id that a document gives itself; undefined where it has none. */
export function keyOf(document: unknown): string | undefined {
  return typeof document === 'object' && document !== null && 'id' in document && typeof document.id === 'string' ? document.id : undefined
}

export interface Proposed {
  readonly standards: Standards
  /** Stretches of series in which something else holds, ascending by station, parameter and time. */
  readonly changes: readonly LawChange[]
  /** The earliest instant at which something is different. */
  readonly from: Millis | null
}

export type ProposedLaw = { readonly ok: true; readonly proposed: Proposed } | { readonly ok: false; readonly problems: readonly string[] }

/** What would hold with one more document loaded, and what that would change; or everything that is wrong with it. */
export function propose(
  { now, sources, loaded }: { readonly now: Standards; readonly sources: StandardsSources; readonly loaded: readonly LoadedLaw[] },
  stations: readonly Station[]
): ProposedLaw {
  const read = readStandards({ ...sources, law: withLoaded(sources.law, loaded) }, stations)
  if (!read.ok) return read
  const changes = changesOf(now, read.standards, stations)
  const starts = changes.map(({ from }) => from ?? 0)
  return { ok: true, proposed: { standards: read.standards, changes, from: starts.length > 0 ? Math.min(...starts) : null } }
}

export const changesOf = (before: Standards, after: Standards, stations: readonly Station[]): LawChange[] =>
  stations.flatMap(({ code, parameters }) => parameters.flatMap(parameter => compareLaw(before.law, after.law, code, parameter)))
