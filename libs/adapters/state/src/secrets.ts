import { createHash, randomBytes } from 'node:crypto'

const SECRET_BYTES = 20
/** RFC 4648 base 32 in small letters: can be read aloud, never begins with a dash. */
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'

/** 160 random bits in 32 printable characters. As many bits need no slow hash: they cannot be guessed (design, section 6). */
export const newSecret = (): string => base32(randomBytes(SECRET_BYTES))

/** What is kept of a secret: its SHA-256, 64 hexadecimal digits. */
export const hashSecret = (secret: string): string => createHash('sha256').update(secret, 'utf8').digest('hex')

/** A short name for a row, as it is typed on a command line: 40 random bits in 8 characters. */
export const newId = (): string => base32(randomBytes(5))

function base32(bytes: Uint8Array): string {
  let text = ''
  let held = 0
  let bits = 0
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET.charAt((held >> (bits - 5)) & 31)
  }
  return text
}
