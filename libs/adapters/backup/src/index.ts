export { checkDatabase, copyDatabase } from './copy-database.js'
export { asBackupError, BackupError, type BackupErrorCode } from './errors.js'
export { copyDurably, digestOf, sync } from './files.js'
