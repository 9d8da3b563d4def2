/** What a PromQL expression asks for: metrics, each with the labels that it selects or groups by. */
export interface Asked {
  readonly metric: string
  readonly labels: readonly string[]
}

const KEYWORDS = new Set(['by', 'without', 'on', 'ignoring', 'and', 'or', 'unless', 'offset', 'bool', 'group_left', 'group_right'])
/** Prometheus makes it itself, for each target that it asks. */
const OF_PROMETHEUS: ReadonlyMap<string, readonly string[]> = new Map([['up', ['job', 'instance']]])
/** Labels that Prometheus adds to everything. */
const ADDED = new Set(['job', 'instance'])

/** Names in an expression, without functions, keywords, spans and texts. Enough of PromQL for what the boards and rules use. */
export function namesOf(expression: string): Asked[] {
  const grouped = [...expression.matchAll(/\b(?:by|without)\s*\(([^)]*)\)/g)].flatMap(match => labelsIn(match[1] ?? ''))
  const bare = expression.replace(/\b(?:by|without)\s*\([^)]*\)/g, ' ').replace(/\[[^\]]*\]/g, ' ')
  const asked: Asked[] = []
  for (const [, name = '', selector = ''] of bare.matchAll(/\b([a-z_][a-z0-9_]*)\b(?!\s*\()(?:\{([^}]*)\})?/g)) {
    if (KEYWORDS.has(name) || isInSelector(bare, name)) continue
    const selected = [...selector.matchAll(/([a-z_]+)\s*(?:=|!=|=~|!~)\s*"/g)].map(match => match[1] ?? '')
    asked.push({ metric: name, labels: [...selected, ...grouped].filter(label => !ADDED.has(label)) })
  }
  return asked.filter(({ metric }) => !OF_PROMETHEUS.has(metric))
}

const labelsIn = (text: string): string[] =>
  text
    .split(',')
    .map(label => label.trim())
    .filter(label => label !== '')

/** Label names and values stand between braces only. */
function isInSelector(expression: string, name: string): boolean {
  const outside = expression.replace(/\{[^}]*\}/g, ' ')
  return !new RegExp(`\\b${name}\\b`).test(outside)
}

/** Metrics of Prometheus' text format with the labels that their lines bear. */
export function exposedMetrics(text: string): Map<string, Set<string>> {
  const metrics = new Map<string, Set<string>>()
  const of = (name: string) => metrics.get(name) ?? metrics.set(name, new Set()).get(name) ?? new Set()
  for (const [, name = ''] of text.matchAll(/^# TYPE (\w+) /gm)) of(name)
  for (const [, name = '', labels = ''] of text.matchAll(/^([a-z_][a-zA-Z0-9_]*)(?:\{(.*)\})? \S+$/gm)) {
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) of(name).add(label)
    of(name)
  }
  return metrics
}
