import type { Millis } from '#libs/model'
import { isValidAt } from '#libs/model'
import type { AlarmTransition, TransitionKind } from './alarm.js'
import type { Episode, Span } from './episode.js'
import { pair } from './episode.js'
import type { Fold } from './fold.js'
import { emptyFold, forget, isSame, keptOf, lapse, resumed, step } from './fold.js'
import type { RuleLimit } from './limit.js'
import type { Cause } from './transition.js'
import { limitTransition, stampOf, withdrawal } from './transition.js'
import type { Block } from './window.js'

/** Blocks that changed: from the first to the last of them. */
export interface Changed {
  readonly from: number
  readonly to: number
}

/** What folding anew has found: the spans between the two instants. `going` is the span that crosses `until` unchanged. */
interface Refolded {
  readonly spans: Span[]
  readonly since: Millis
  readonly until: Millis
  readonly going: Millis | null
}

/** One rule on one series: its state after the newest reading, and its episodes as far back as the window reaches. */
export class Track {
  readonly limit: RuleLimit
  readonly station: string
  /** After the newest reading. */
  fold: Fold = emptyFold()
  /** Ascending and disjoint; only the last may still be open. */
  episodes: Episode[] = []

  constructor(station: string, limit: RuleLimit) {
    this.station = station
    this.limit = limit
  }

  /** The episode that lasts, if one does. */
  get open(): Episode | undefined {
    const last = this.episodes.at(-1)
    return last?.clearedAt === null ? last : undefined
  }

  /** The same with its worst value brought up to date, which else happens only with a transition. */
  current(): Episode | undefined {
    const { open } = this
    if (open) open.worst = this.fold.worst
    return open
  }

  /** Id of an episode that was born at the instant, unless another had it already. */
  plainId(born: Millis): string {
    return `${this.station}.${this.limit.parameter}.${this.limit.rule}.${stampOf(born)}`
  }

  /** Takes the next usable reading in event time. */
  advance(at: Millis, value: number, transitions: AlarmTransition[]): void {
    const changedAt = take(this.fold, this.limit, at, value)
    if (changedAt !== undefined) transitions.push(this.#follow(changedAt))
  }

  /** Folds the blocks anew from the first that changed until nothing changes any more, and tells what that did to the episodes. */
  refold(index: number, blocks: readonly Block[], changed: Changed, cause: Cause): AlarmTransition[] {
    this.current()
    return this.#revise(this.#fold(index, blocks, changed), cause)
  }

  /** Folds everything without a word: after a restart, and under a rule that has not seen these readings before. */
  foldSilently(index: number, blocks: readonly Block[]): Span[] {
    return this.#fold(index, blocks, { from: 0, to: blocks.length }).spans
  }

  /** Spans of folding under a new rule: only what still lasts is news, the past stays as it was judged. */
  inherit(spans: readonly Span[], before: Episode | undefined, cause: Cause): AlarmTransition[] {
    const past = spans.filter(span => span.clearedAt !== null)
    for (const span of past) this.#adopt(span, cause)
    const lasting = spans.filter(span => span.clearedAt === null)
    const transitions = this.#settle(before ? [before] : [], lasting, cause)
    // It goes on, but under another limit, which is to be seen.
    return before && this.open && transitions.length === 0 ? [this.#tell('revised', this.open, cause)] : transitions
  }

  /** The rule is gone: what lasts under it is withdrawn. */
  end(cause: Cause): AlarmTransition[] {
    const open = this.current()
    return open ? [withdrawal(this.station, this.limit, open, cause)] : []
  }

  forgetBefore(horizon: Millis): void {
    this.episodes = this.episodes.filter(({ clearedAt, born }) => clearedAt === null || Math.max(clearedAt, born) > horizon)
  }

  /** The level has just changed at the newest reading. */
  #follow(at: Millis): AlarmTransition {
    const { fold } = this
    const cause = { at, mark: '' }
    const open = this.open
    if (!open) return this.#tell('raised', this.#adopt(lastingSpan(fold), cause), cause)
    if (fold.level === 0) {
      Object.assign(open, endedSpan(fold, at))
      return this.#tell('cleared', open, cause)
    }
    const kind = fold.level > open.level ? 'escalated' : 'eased'
    Object.assign(open, lastingSpan(fold))
    return this.#tell(kind, open, cause)
  }

  #tell(kind: TransitionKind, episode: Episode, cause: Cause): AlarmTransition {
    return limitTransition(this.station, this.limit, { kind, episode, cause })
  }

  #fold(index: number, blocks: readonly Block[], { from, to }: Changed): Refolded {
    const spans: Span[] = []
    const start = blocks[from]
    if (!start) return { spans, since: Infinity, until: Infinity, going: null }
    const fold = resumed(start.folds[index] ?? emptyFold())
    for (let i = from; i < blocks.length; i++) {
      const block = blocks[i] as Block
      const known = block.folds[index]
      if (i > to && known && isSame(known, fold))
        return { spans, since: start.first, until: block.first, going: fold.level > 0 ? fold.raisedAt : null }
      block.folds[index] = keptOf(fold)
      foldBlock(fold, this.limit, block, spans)
    }
    if (fold.level > 0) spans.push(lastingSpan(fold))
    this.fold = fold
    return { spans, since: start.first, until: Infinity, going: null }
  }

  #revise({ spans, since, until, going }: Refolded, cause: Cause): AlarmTransition[] {
    const isConcerned = ({ raisedAt, clearedAt }: Episode) =>
      (clearedAt === null || clearedAt >= since) && raisedAt < until && raisedAt !== going
    const concerned = this.episodes.filter(isConcerned)
    if (concerned.length === 0 && spans.length === 0) return []
    this.episodes = this.episodes.filter(episode => !isConcerned(episode))
    const transitions = this.#settle(concerned, spans, cause)
    this.episodes.sort((a, b) => a.raisedAt - b.raisedAt)
    return transitions
  }

  /** Brings published episodes in line with the spans that now hold; those kept or new are added to `episodes`. */
  #settle(old: readonly Episode[], fresh: readonly Span[], cause: Cause): AlarmTransition[] {
    const transitions: AlarmTransition[] = []
    const taken = new Set(old.map(episode => episode.id))
    for (const { old: episode, fresh: span } of pair(old, fresh)) {
      if (!span) transitions.push(withdrawal(this.station, this.limit, episode, cause))
      else if (episode) transitions.push(...this.#continue(episode, span, cause))
      else transitions.push(...this.#announce(span, cause, taken))
    }
    return transitions
  }

  #continue(episode: Episode, span: Span, cause: Cause): AlarmTransition[] {
    const kind = changeOf(episode, span)
    Object.assign(episode, span)
    this.episodes.push(episode)
    if (!kind) return []
    return [this.#tell(kind, episode, kind === 'cleared' ? { ...cause, at: span.clearedAt ?? cause.at } : cause)]
  }

  /** An episode that late data brought to light, from its beginning to its end if it has one. */
  #announce(span: Span, cause: Cause, taken: ReadonlySet<string>): AlarmTransition[] {
    const episode = this.#adopt(span, cause, taken)
    const standing = span.clearedAt === null ? episode : { ...episode, clearedAt: null, level: span.top }
    const raised = this.#tell('raised', standing, { ...cause, at: span.raisedAt })
    return span.clearedAt === null ? [raised] : [raised, this.#tell('cleared', episode, { ...cause, at: span.clearedAt })]
  }

  #adopt(span: Span, cause: Cause, taken: ReadonlySet<string> = NONE): Episode {
    const plain = this.plainId(span.raisedAt)
    const isTaken = taken.has(plain) || this.episodes.some(episode => episode.id === plain)
    const episode: Episode = { id: isTaken ? `${plain}${cause.mark}` : plain, born: span.raisedAt, ...span }
    this.episodes.push(episode)
    return episode
  }
}

const NONE: ReadonlySet<string> = new Set()

function foldBlock(fold: Fold, limit: RuleLimit, block: Block, spans: Span[]): void {
  for (let i = 0; i < block.length; i++) {
    const value = block.valueAt(i)
    if (Number.isNaN(value)) continue
    const at = block.atOf(i)
    const changedAt = take(fold, limit, at, value)
    if (changedAt !== undefined && fold.level === 0) spans.push(endedSpan(fold, changedAt))
  }
}

/**
 * Takes the next usable reading in event time; the instant at which the level changed, if it did. A limit that has gone out of force
 * takes its alarm along: the limit that follows judges anew, and the alarm under it names another law.
 */
function take(fold: Fold, limit: RuleLimit, at: Millis, value: number): Millis | undefined {
  if (isValidAt(limit, at)) return step(fold, limit, at, value) ? at : undefined
  const { validTo } = limit
  return validTo !== null && at >= validTo && lapse(fold) ? validTo : undefined
}

const lastingSpan = ({ raisedAt, level, top, worst }: Fold): Span => ({ raisedAt, clearedAt: null, level, top, worst })

function endedSpan(fold: Fold, clearedAt: Millis): Span {
  const span = { raisedAt: fold.raisedAt, clearedAt, level: 0, top: fold.top, worst: fold.worst }
  forget(fold)
  return span
}

/** What the difference between an episode as published and as it now stands is called; undefined when there is none to speak of. */
function changeOf(old: Episode, now: Span): TransitionKind | undefined {
  if (old.clearedAt === null && now.clearedAt !== null) return 'cleared'
  if (old.clearedAt === null && now.level > old.level) return 'escalated'
  if (old.clearedAt === null && now.level < old.level) return 'eased'
  const moved = old.raisedAt !== now.raisedAt || old.clearedAt !== now.clearedAt || old.top !== now.top
  // The worst value of an alarm that lasts changes all the time and is told with the next transition.
  return moved || (now.clearedAt !== null && old.worst !== now.worst) ? 'revised' : undefined
}
