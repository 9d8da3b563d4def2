/** 32-bit FNV-1a of a text: a seed of its own for every name. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

/** A number in [0, 1) that depends on `seed` and `step` alone, and looks random over both (the finalizer of MurmurHash3). */
export function chance(seed: number, step: number): number {
  let h = Math.imul(seed ^ Math.imul(step | 0, 0x9e3779b1) ^ Math.floor(step / 2 ** 32), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  h = Math.imul(h ^ (h >>> 16), 0x27d4eb2f)
  return ((h ^ (h >>> 15)) >>> 0) / 2 ** 32
}

/** In (-1, 1), about bell-shaped around 0: the mean of three chances. */
export const jitter = (seed: number, step: number): number =>
  ((chance(seed, step) + chance(seed + 1, step) + chance(seed + 2, step)) * 2) / 3 - 1

/** In (-1, 1), continuous in `at`, with a new random value every `period`: slow drift when the period is long. */
export function wander(seed: number, at: number, period: number): number {
  const step = Math.floor(at / period)
  const share = at / period - step
  const ease = share * share * (3 - 2 * share)
  return jitter(seed, step) * (1 - ease) + jitter(seed, step + 1) * ease
}
