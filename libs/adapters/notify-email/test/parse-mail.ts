export interface Mail {
  /** Names in lower case, values unfolded and decoded; a name that comes twice has two values. */
  readonly headers: ReadonlyMap<string, readonly string[]>
  readonly text: string
}

/** Reads a message of one text part: RFC 5322 headers, RFC 2047 words, RFC 2045 encodings. */
export function parseMail(raw: Buffer): Mail {
  const [head = '', ...rest] = raw.toString('latin1').split('\r\n\r\n')
  const headers = new Map<string, string[]>()
  for (const line of head.replace(/\r\n[ \t]+/g, ' ').split('\r\n')) {
    const [, name = '', value = ''] = /^([^:]+):\s*(.*)$/.exec(line) ?? []
    headers.set(name.toLowerCase(), [...(headers.get(name.toLowerCase()) ?? []), decodeWords(value)])
  }
  const body = rest.join('\r\n\r\n')
  const text = decode(body, headers.get('content-transfer-encoding')?.[0] ?? '7bit')
  return { headers, text: text.replace(/\r\n/g, '\n').trimEnd() }
}

/** The bytes of neighbouring words are joined before they are read: a letter may be cut in two. */
function decodeWords(value: string): string {
  return value.replace(/=\?utf-8\?[QB]\?[^?]*\?=(?:\s+=\?utf-8\?[QB]\?[^?]*\?=)*/gi, words => {
    const parts = [...words.matchAll(/=\?utf-8\?([QB])\?([^?]*)\?=/gi)].map(([, encoding, content = '']) =>
      encoding?.toUpperCase() === 'B' ? Buffer.from(content, 'base64') : unquote(content.replace(/_/g, ' '))
    )
    return Buffer.concat(parts).toString('utf8')
  })
}

function decode(body: string, encoding: string): string {
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('utf8')
  if (encoding === 'quoted-printable') return unquote(body.replace(/=\r\n/g, '')).toString('utf8')
  return Buffer.from(body, 'latin1').toString('utf8')
}

const unquote = (text: string): Buffer =>
  Buffer.from(
    text.replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1'
  )
