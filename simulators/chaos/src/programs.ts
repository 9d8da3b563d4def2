import { fileURLToPath } from 'node:url'

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

/** The built server and the operator's command line, as arguments of Node; and the devices' data. */
export const SERVER: readonly string[] = ['--enable-source-maps', path('../../../apps/telemetry/src/main.js')]
export const OPS: readonly string[] = ['--enable-source-maps', path('../../../apps/ops/src/main.js')]
export const DEVICES = path('../../../../devices')
