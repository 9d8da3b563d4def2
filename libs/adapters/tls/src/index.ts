export type { Issued, Validity } from './authority.js'
export { Authority } from './authority.js'
