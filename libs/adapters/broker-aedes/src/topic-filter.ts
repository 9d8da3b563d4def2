const SLASH = 0x2f

/** Number of levels of a topic or filter: separators plus one. */
export function levelsOf(topic: string): number {
  let levels = 1
  for (let at = 0; at < topic.length; at++) if (topic.charCodeAt(at) === SLASH) levels++
  return levels
}

/**
 * Whether a subscription filter is well formed: not empty, no U+0000, `#` alone in the last level, `+` alone in its level
 * [MQTT-4.7.1-1..3, 4.7.3-1..2], and no more than `maxLevels` levels.
 */
export function isValidFilter(filter: string, maxLevels: number): boolean {
  if (filter === '' || filter.includes('\0') || levelsOf(filter) > maxLevels) return false
  const levels = filter.split('/')
  return levels.every((level, at) => {
    if (level === '#') return at === levels.length - 1
    return level === '+' || !/[#+]/.test(level)
  })
}

/** The part of a filter before its first wildcard: every topic that it matches begins so, but for `a/#`, which matches `a` too. */
export function literalPrefix(filter: string): string {
  const wildcard = filter.search(/[#+]/)
  if (wildcard === -1) return filter
  return filter.slice(0, filter[wildcard] === '#' ? Math.max(0, wildcard - 1) : wildcard)
}

/** Whether a valid filter matches a topic name (MQTT 3.1.1, section 4.7); a wildcard in the first level matches no `$` topic. */
export function filterMatches(filter: string, topic: string): boolean {
  if (filter === topic) return true
  if (!topic.startsWith(literalPrefix(filter))) return false
  if (topic.startsWith('$') && /^[#+]/.test(filter)) return false
  const wanted = filter.split('/')
  const given = topic.split('/')
  for (let at = 0; at < wanted.length; at++) {
    if (wanted[at] === '#') return true
    if (at >= given.length) return false
    if (wanted[at] !== '+' && wanted[at] !== given[at]) return false
  }
  return wanted.length === given.length
}
