import type { Clock, LawChangeEntry, LawDraft, LoadedLaw } from '#libs/pipeline'
import { StateError } from './errors.js'
import { decodeKey, type Page, pageSize, toPage } from './page.js'
import type { Databases, Db, Tables } from './schema.js'
import { inTransaction } from './transaction.js'

/**
 * Regulations and permits that staff have loaded beside the registry's files: a list of changes that only ever grows, each with author,
 * reason and the day from which it holds. What stands is the newest change of each document. Power-safe: people's actions.
 */
export class LawBook {
  readonly #databases: Databases
  readonly #clock: Clock

  constructor(databases: Databases, clock: Clock) {
    this.#databases = databases
    this.#clock = clock
  }

  /** Number of the newest change; 0 before the first. */
  edition(): Promise<number> {
    return newestOf(this.#databases.powerSafe)
  }

  /** What stands after the change of this number, by kind and key. A document that was withdrawn is null: the registry's too. */
  async standing(edition: number): Promise<LoadedLaw[]> {
    const rows = await this.#databases.powerSafe.selectFrom('law_changes').selectAll().where('id', '<=', edition).orderBy('id').execute()
    const newest = new Map(rows.map(row => [`${row.kind}/${row.key}`, row]))
    return [...newest.values()].map(({ kind, key, document }) => ({ kind, key, document: documentOf(document) }))
  }

  /**
   * Adds a change that was checked against the edition given. @throws StateError QT_LAW_CHANGED where another came first: what was shown to
   * the author no longer is what would happen.
   */
  record(draft: LawDraft, checkedAgainst: number): Promise<LawChangeEntry> {
    return inTransaction(this.#databases.powerSafe, async trx => {
      const edition = await newestOf(trx)
      if (edition !== checkedAgainst)
        throw new StateError('QT_LAW_CHANGED', `the law has changed meanwhile (edition ${edition}, not ${checkedAgainst}): look again`)
      const { kind, key, document, from, author, via, reason } = draft
      const row: Tables['law_changes'] = {
        id: edition + 1,
        ...{ kind, key, author, via, reason },
        document: document === null ? null : JSON.stringify(document),
        from_at: from,
        changed_at: this.#clock()
      }
      await trx.insertInto('law_changes').values(row).execute()
      return toEntry(row)
    })
  }

  /** Newest first. @throws StateError QT_CURSOR_INVALID */
  async changes(query: { readonly limit: number; readonly after?: string }): Promise<Page<LawChangeEntry>> {
    const limit = pageSize(query.limit)
    let select = this.#databases.powerSafe.selectFrom('law_changes').selectAll()
    if (query.after !== undefined) select = select.where('id', '<', decodeKey(query.after, 'number')[0])
    const rows = await select
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute()
    return toPage(rows, limit, row => [row.id, 0], toEntry)
  }

  /** Up to which change what was judged before has been judged anew. */
  async applied(): Promise<number> {
    return (
      (await this.#databases.powerSafe.selectFrom('law_applied').select('edition').where('id', '=', 1).executeTakeFirst())?.edition ?? 0
    )
  }

  async apply(edition: number): Promise<void> {
    await this.#databases.powerSafe
      .insertInto('law_applied')
      .values({ id: 1, edition })
      .onConflict(on => on.column('id').doUpdateSet({ edition }))
      .execute()
  }
}

async function newestOf(db: Db): Promise<number> {
  const row = await db
    .selectFrom('law_changes')
    .select(({ fn }) => fn.max('id').as('id'))
    .executeTakeFirst()
  return row?.id ?? 0
}

const documentOf = (text: string | null): unknown => (text === null ? null : (JSON.parse(text) as unknown))

const toEntry = ({ id, kind, key, document, from_at, author, via, reason, changed_at }: Tables['law_changes']): LawChangeEntry => ({
  ...{ edition: id, kind, key, author, via, reason },
  document: documentOf(document),
  from: from_at,
  changedAt: changed_at
})
