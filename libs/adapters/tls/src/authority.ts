import 'reflect-metadata' // tsyringe, below the X.509 library, asks for it first
import { randomBytes, webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator
} from '@peculiar/x509'

/** A certificate and its private key (PKCS #8), both PEM. */
export interface Issued {
  readonly cert: string
  readonly key: string
}

export interface Validity {
  readonly notBefore: Date
  readonly notAfter: Date
}

/** NIST P-256: what every TLS library speaks, and a tenth of RSA's cost for the server (RFC 9325, section 4.2). */
const KEYS = { name: 'ECDSA', namedCurve: 'P-256' } as const
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const
/** At least 64 random bits, at most 20 octets (CA/Browser Forum baseline requirements 7.1, RFC 5280 section 4.1.2.2). */
const SERIAL_BYTES = 16

type KeyPair = webcrypto.CryptoKeyPair

/** A certificate authority of one's own: signs a server's certificate, and those by which stations are known. */
export class Authority {
  /** With the private key: whoever has it can make certificates for every station. */
  readonly pem: Issued
  readonly #certificate: X509Certificate
  readonly #key: webcrypto.CryptoKey

  private constructor(pem: Issued, key: webcrypto.CryptoKey) {
    this.pem = pem
    this.#certificate = new X509Certificate(pem.cert)
    this.#key = key
  }

  static async create(name: string, validity: Validity): Promise<Authority> {
    const keys = await newKeys()
    const certificate = await X509CertificateGenerator.createSelfSigned({
      ...common(validity),
      name: [{ CN: [name] }],
      keys,
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        await SubjectKeyIdentifierExtension.create(keys.publicKey)
      ]
    })
    return new Authority({ cert: pemOf(certificate), key: await pemOfKey(keys.privateKey) }, keys.privateKey)
  }

  /** @throws Error when the texts are not those of an authority that `create` made. */
  static async load(pem: Issued): Promise<Authority> {
    const key = await webcrypto.subtle.importKey('pkcs8', PemConverter.decodeFirst(pem.key), KEYS, true, ['sign'])
    return new Authority(pem, key)
  }

  /** A server's certificate for DNS names and IP addresses. */
  server(hosts: readonly string[], validity: Validity): Promise<Issued> {
    const names = hosts.map(host => ({ type: isIP(host) ? ('ip' as const) : ('dns' as const), value: host }))
    return this.#issue(hosts[0] ?? '', ExtendedKeyUsage.serverAuth, { validity, more: [new SubjectAlternativeNameExtension(names)] })
  }

  /** A client's certificate; `name` becomes the common name: a station's code. */
  client(name: string, validity: Validity): Promise<Issued> {
    return this.#issue(name, ExtendedKeyUsage.clientAuth, { validity, more: [] })
  }

  async #issue(name: string, usage: ExtendedKeyUsage, { validity, more }: { validity: Validity; more: Extension[] }): Promise<Issued> {
    const keys = await newKeys()
    const certificate = await X509CertificateGenerator.create({
      ...common(validity),
      subject: [{ CN: [name] }],
      issuer: this.#certificate.subjectName,
      publicKey: keys.publicKey,
      signingKey: this.#key,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([usage]),
        await SubjectKeyIdentifierExtension.create(keys.publicKey),
        await AuthorityKeyIdentifierExtension.create(this.#certificate),
        ...more
      ]
    })
    return { cert: pemOf(certificate), key: await pemOfKey(keys.privateKey) }
  }
}

const newKeys = (): Promise<KeyPair> => webcrypto.subtle.generateKey(KEYS, true, ['sign', 'verify'])

const common = (validity: Validity) => ({ ...validity, signingAlgorithm: SIGNATURE, serialNumber: newSerial() })

/** Positive: the first bit of the first octet is the sign. */
function newSerial(): string {
  const bytes = randomBytes(SERIAL_BYTES)
  bytes[0] = ((bytes[0] as number) & 0x7f) | 0x40
  return bytes.toString('hex')
}

const pemOf = (certificate: X509Certificate): string => `${certificate.toString('pem')}\n`

async function pemOfKey(key: webcrypto.CryptoKey): Promise<string> {
  return `${PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), PemConverter.PrivateKeyTag)}\n`
}
