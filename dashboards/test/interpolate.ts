/** What Grafana puts into a query before it sends it, as far as the boards use it. */
export interface Surroundings {
  readonly defaultBucket: string
  readonly from: Date
  readonly to: Date
  readonly windowPeriod: string
  readonly variables: Readonly<Record<string, readonly string[]>>
}

/**
 * First the variables, in the browser (`doublequote`: texts in double quotes, several with commas; @grafana/scenes, formatRegistry),
 * then the macros, in the server (pkg/tsdb/influxdb/flux/macros.go). @throws Error for a variable without a value.
 */
export function interpolate(flux: string, { defaultBucket, from, to, windowPeriod, variables }: Surroundings): string {
  const chosen = flux.replace(/\$\{(\w+):(\w+)\}/g, (_whole, name: string, format: string) => {
    const values = variables[name]
    if (!values || values.length === 0 || format !== 'doublequote') throw new Error(`no value for ${name}:${format}`)
    return values.map(value => `"${value.replaceAll('"', '\\"')}"`).join(',')
  })
  const left = /\$\{|\$[a-z]|\[\[/.exec(chosen)
  if (left) throw new Error(`Grafana would look for a variable at ${chosen.slice(left.index, left.index + 30)}`)
  return chosen
    .replaceAll('v.timeRangeStart', from.toISOString())
    .replaceAll('v.timeRangeStop', to.toISOString())
    .replaceAll('v.windowPeriod', windowPeriod)
    .replaceAll('v.defaultBucket', `"${defaultBucket}"`)
}
