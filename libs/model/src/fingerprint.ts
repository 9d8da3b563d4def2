/** FNV-1a, 32 bits, as eight hexadecimal digits: tells two editions of the same data apart. Not a secret, not a signature. */
export function fingerprintOf(text: string): string {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return (hash >>> 0).toString(16).padStart(8, '0')
}
