import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import { type Millis, messageOf } from '#libs/model'
import type { TlsFiles } from './config.js'
import { CodedError } from './errors.js'

/** Bytes of the certificate files, as they lie on the disk. */
export interface TlsBytes {
  readonly cert: Buffer
  readonly key: Buffer
  readonly clientCa: Buffer | null
  /** Of all of them: tells whether anything has changed. */
  readonly digest: string
}

export interface Expiry {
  readonly certificate: 'server' | 'client-ca'
  readonly at: Millis
}

/** Certificates that fit together, as a listener takes them. */
export interface TlsMaterial extends TlsBytes {
  /** Of the server's own certificate, hexadecimal. */
  readonly serial: string
  /** When each ends; of several authorities the first to end. */
  readonly expiries: readonly Expiry[]
}

/** For `tls.createServer` and `server.setSecureContext`. */
export interface SecureOptions {
  readonly cert: Buffer
  readonly key: Buffer
  readonly ca?: Buffer
  readonly minVersion: 'TLSv1.2'
}

/** RFC 8996 and RFC 9325 end TLS 1.0 and 1.1; said here, so that no flag of the process brings them back. */
const OLDEST = 'TLSv1.2'

/** @throws CodedError QT_TLS_UNREADABLE */
const OF_LISTENERS = { cert: 'QUANTRAC_TLS_CERT', key: 'QUANTRAC_TLS_KEY', clientCa: 'QUANTRAC_TLS_CLIENT_CA' }

export async function readTlsFiles(files: TlsFiles): Promise<TlsBytes> {
  const { settings = OF_LISTENERS } = files
  const [cert, key, clientCa] = await Promise.all([
    readPem(files.cert, settings.cert),
    readPem(files.key, settings.key),
    files.clientCa === null ? null : readPem(files.clientCa, settings.clientCa)
  ])
  const hash = createHash('sha256')
  for (const bytes of [cert, key, clientCa ?? Buffer.alloc(0)]) hash.update(`${bytes.length}:`).update(bytes)
  return { cert, key, clientCa, digest: hash.digest('hex') }
}

/**
 * Looks whether the certificates can be used together. Dates are not judged here.
 * @throws CodedError QT_TLS_INVALID, QT_TLS_KEY_MISMATCH
 */
export function checkTls(bytes: TlsBytes, files: TlsFiles): TlsMaterial {
  const [own] = certificatesIn(bytes.cert, files.cert)
  if (!own.checkPrivateKey(privateKeyIn(bytes.key, files.key))) {
    const { cert, key } = files.settings ?? OF_LISTENERS
    const remedy = `the two files are not of one pair: ${cert}, ${key}`
    throw new CodedError('QT_TLS_KEY_MISMATCH', `the key in ${files.key} is not that of the first certificate in ${files.cert}; ${remedy}`)
  }
  const authorities = bytes.clientCa === null || files.clientCa === null ? [] : certificatesIn(bytes.clientCa, files.clientCa)
  try {
    createSecureContext(secureOptions(bytes))
  } catch (error) {
    throw new CodedError('QT_TLS_INVALID', `TLS cannot use ${files.cert}: ${messageOf(error)}`, { cause: error })
  }
  const expiries: Expiry[] = [{ certificate: 'server', at: endOf(own) }]
  if (authorities.length > 0) expiries.push({ certificate: 'client-ca', at: Math.min(...authorities.map(endOf)) })
  return { ...bytes, serial: own.serialNumber, expiries }
}

export function secureOptions({ cert, key, clientCa }: Pick<TlsBytes, 'cert' | 'key' | 'clientCa'>): SecureOptions {
  return { cert, key, minVersion: OLDEST, ...(clientCa ? { ca: clientCa } : {}) }
}

const endOf = (certificate: X509Certificate): Millis => Date.parse(certificate.validTo)

async function readPem(path: string, setting: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (error) {
    throw new CodedError('QT_TLS_UNREADABLE', `${setting}: ${messageOf(error)}`, { cause: error })
  }
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

function certificatesIn(pem: Buffer, path: string): [X509Certificate, ...X509Certificate[]] {
  const blocks = pem.toString('latin1').match(PEM_CERTIFICATE) ?? []
  try {
    const [first, ...others] = blocks.map(block => new X509Certificate(block))
    if (first) return [first, ...others]
  } catch (error) {
    throw new CodedError('QT_TLS_INVALID', `${path} holds a damaged certificate: ${messageOf(error)}`, { cause: error })
  }
  throw new CodedError('QT_TLS_INVALID', `${path} holds no certificate in PEM form`)
}

function privateKeyIn(pem: Buffer, path: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch (error) {
    const encrypted = /ENCRYPTED/.test(pem.toString('latin1'))
    const why = encrypted ? 'it is encrypted; give one without a passphrase, readable by the server’s user alone' : messageOf(error)
    throw new CodedError('QT_TLS_INVALID', `${path} holds no private key that can be used: ${why}`, { cause: error })
  }
}
