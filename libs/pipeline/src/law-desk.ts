import type { Station } from '#libs/model'
import type { LawChange } from '#libs/regulation'
import type { AggregateLog } from './aggregate-ports.js'
import type { LawChangeEntry, LawDraft, LawKind, LoadedLaw, Proposed } from './law-changes.js'
import { changesOf, keyOf, propose, withLoaded } from './law-changes.js'
import type { Rejudgement } from './rejudge.js'
import { rejudge } from './rejudge.js'
import type { ReadStandards, StandardsSources } from './standards.js'
import { readStandards, Standards } from './standards.js'

/** Where changes of the law are kept. */
export interface LawLog {
  edition(): Promise<number>
  standing(edition: number): Promise<readonly LoadedLaw[]>
  record(draft: LawDraft, checkedAgainst: number): Promise<LawChangeEntry>
}

interface DeskPorts {
  readonly law: Pick<LawLog, 'edition' | 'standing'>
  /** The registry's files. */
  readonly sources: StandardsSources
  readonly stations: readonly Station[]
}

/** What holds after the change of a number; or, where the registry has changed since, what no longer fits it. */
export async function standardsAt({ law, sources, stations }: DeskPorts, edition: number): Promise<ReadStandards> {
  const loaded = edition === 0 ? [] : await law.standing(edition)
  return readStandards({ ...sources, law: withLoaded(sources.law, loaded) }, stations)
}

/** QT_REGISTRY_INVALID: law and alarm rules cannot be used. The message lists every problem, one a line. */
export class StandardsError extends Error {
  override readonly name = 'StandardsError'
  readonly code = 'QT_REGISTRY_INVALID'

  constructor(problems: readonly string[], edition: number) {
    const remedy = edition === 0 ? '' : '\nwhat was loaded is taken back by npm run -s ops -- rules withdraw'
    super(`law and alarm rules cannot be used:\n  ${problems.join('\n  ')}${remedy}`)
  }
}

/** What holds today, and the number of the newest change. @throws StandardsError */
export async function standardsNow(ports: DeskPorts): Promise<{ readonly standards: Standards; readonly edition: number }> {
  const edition = await ports.law.edition()
  const read = await standardsAt(ports, edition)
  if (read.ok) return { standards: read.standards, edition }
  throw new StandardsError(read.problems, edition)
}

export interface Asking {
  readonly kind: LawKind
  /** The document; null withdraws the one of this key. */
  readonly document: unknown
  /** Needed where the document is null. */
  readonly key?: string
}

export type Preview =
  | { readonly ok: false; readonly problems: readonly string[] }
  | {
      readonly ok: true
      /** The state of the law that this was checked against. */
      readonly edition: number
      readonly key: string
      readonly proposed: Proposed
      readonly rejudgement: Rejudgement
    }

/** Shows what a change of the law would do, and makes it. Nothing that was measured is touched; what it is held against is. */
export class LawDesk {
  readonly #ports: DeskPorts & { readonly law: LawLog }
  readonly #aggregates: Pick<AggregateLog, 'find'>

  constructor(ports: DeskPorts & { readonly law: LawLog }, aggregates: Pick<AggregateLog, 'find'>) {
    this.#ports = ports
    this.#aggregates = aggregates
  }

  async preview({ kind, document, key: named }: Asking): Promise<Preview> {
    const { law, sources, stations } = this.#ports
    const key = document === null ? named : keyOf(document)
    if (key === undefined) return { ok: false, problems: [`${kind}: id: it is missing`] }
    const edition = await law.edition()
    const now = await standardsAt(this.#ports, edition)
    // A registry that no longer fits what was loaded is mended by the very change that is asked for.
    const before = now.ok ? now.standards : Standards.none()
    const standing = (await law.standing(edition)).filter(one => !(one.kind === kind && one.key === key))
    const asked = propose({ now: before, sources, loaded: [...standing, { kind, key, document }] }, stations)
    if (!asked.ok) return asked
    const { proposed } = asked
    const question = { before, after: proposed.standards, changes: proposed.changes }
    return { ok: true, edition, key, proposed, rejudgement: await rejudge(question, this.#aggregates) }
  }

  /** Makes the change that a preview has shown. @throws StateError QT_LAW_CHANGED where another came in between. */
  change(
    asking: Asking,
    preview: Extract<Preview, { ok: true }>,
    by: Pick<LawDraft, 'author' | 'via' | 'reason'>
  ): Promise<LawChangeEntry> {
    const { kind, document } = asking
    return this.#ports.law.record({ kind, key: preview.key, document, from: preview.proposed.from, ...by }, preview.edition)
  }
}

/** What others have changed, taken over by a running process. */
export class LawFollower {
  readonly #ports: DeskPorts
  readonly #standards: Standards
  #edition: number

  /** `standards` are those at `edition`. */
  constructor(ports: DeskPorts, standards: Standards, edition: number) {
    this.#ports = ports
    this.#standards = standards
    this.#edition = edition
  }

  get edition(): number {
    return this.#edition
  }

  /** Adopts what is new. Null: nothing is. Throws what the log throws; then nothing was adopted. */
  async look(): Promise<{ readonly edition: number; readonly changes: readonly LawChange[]; readonly problems: readonly string[] } | null> {
    const edition = await this.#ports.law.edition()
    if (edition === this.#edition) return null
    const read = await standardsAt(this.#ports, edition)
    // Only a registry that was changed beneath us can cause this; what held goes on holding.
    if (!read.ok) return { edition, changes: [], problems: read.problems }
    const changes = changesOf(this.#standards, read.standards, this.#ports.stations)
    this.#standards.adopt(read.standards)
    this.#edition = edition
    return { edition, changes, problems: [] }
  }
}
