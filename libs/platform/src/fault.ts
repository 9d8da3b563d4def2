/**
 * A point at which the process kills itself with SIGKILL, the `after`-th time that it comes by. For the kill proof alone:
 * without a setting it is a function that does nothing.
 */
export function faultAt<P extends string>(setting: { readonly point: P; readonly after: number } | null): (point: P) => void {
  if (!setting) return () => {}
  let left = setting.after
  return point => {
    if (point !== setting.point || --left > 0) return
    process.kill(process.pid, 'SIGKILL')
    // SIGKILL is not synchronous: nothing past this line may run.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10_000)
  }
}
