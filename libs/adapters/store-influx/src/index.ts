export type { BucketRole, Measurement } from './catalogue.js'
export { BUCKETS, bucketName, MEASUREMENTS } from './catalogue.js'
