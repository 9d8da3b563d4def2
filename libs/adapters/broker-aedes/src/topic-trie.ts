interface Node<T> {
  readonly children: Map<string, Node<T>>
  readonly values: Set<T>
}

/** Matches kept for reuse; all are dropped when any filter is added or removed. Bounded because topics come from outside. */
const CACHED_TOPICS = 65_536
const NOTHING: readonly never[] = []

/**
 * Values under subscription filters, found by topic. A topic that was asked for since the last change costs one look-up, so
 * the message that nobody subscribed, which is nearly every reading, is told apart for next to nothing.
 */
export class TopicTrie<T> {
  readonly #root: Node<T> = newNode()
  readonly #matches = new Map<string, readonly T[]>()
  #size = 0

  /** Number of (filter, value) pairs. */
  get size(): number {
    return this.#size
  }

  add(filter: string, value: T): void {
    let node = this.#root
    for (const level of filter.split('/')) {
      let child = node.children.get(level)
      if (!child) node.children.set(level, (child = newNode()))
      node = child
    }
    if (node.values.has(value)) return
    node.values.add(value)
    this.#size++
    this.#matches.clear()
  }

  remove(filter: string, value: T): void {
    const path = this.#pathTo(filter)
    const last = path?.at(-1)
    if (!path || !last?.values.delete(value)) return
    this.#size--
    this.#matches.clear()
    prune(path, filter.split('/'))
  }

  /** Values whose filter matches. The array is shared: it must not be changed. */
  match(topic: string): readonly T[] {
    const known = this.#matches.get(topic)
    if (known) return known
    const found: T[] = []
    collect(this.#root, topic.split('/'), 0, found)
    const matches = found.length === 0 ? NOTHING : found
    if (this.#matches.size >= CACHED_TOPICS) this.#matches.clear()
    this.#matches.set(topic, matches)
    return matches
  }

  /** Root first. */
  #pathTo(filter: string): Node<T>[] | undefined {
    const path = [this.#root]
    for (const level of filter.split('/')) {
      const child = path.at(-1)?.children.get(level)
      if (!child) return undefined
      path.push(child)
    }
    return path
  }
}

function newNode<T>(): Node<T> {
  return { children: new Map(), values: new Set() }
}

/** Takes away the nodes at the end of the path that hold nothing any more. */
function prune<T>(path: readonly Node<T>[], levels: readonly string[]): void {
  for (let depth = levels.length; depth > 0; depth--) {
    const node = path[depth]
    if (!node || node.values.size > 0 || node.children.size > 0) return
    path[depth - 1]?.children.delete(levels[depth - 1] as string)
  }
}

/** `#` before the exact level before `+`. A wildcard in the first level matches no `$` topic [MQTT-4.7.2-1]. */
function collect<T>(node: Node<T>, levels: readonly string[], depth: number, found: T[]): void {
  const wild = depth > 0 || !levels[0]?.startsWith('$')
  if (wild) found.push(...(node.children.get('#')?.values ?? []))
  const level = levels[depth]
  if (level === undefined) {
    found.push(...node.values)
    return
  }
  for (const name of wild ? [level, '+'] : [level]) {
    const child = node.children.get(name)
    if (child) collect(child, levels, depth + 1, found)
  }
}
