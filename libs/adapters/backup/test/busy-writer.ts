/** Commits to a SQLite file as fast as it can, both tables in one transaction, until it is killed: `node busy-writer.js FILE`. */
import Database from 'better-sqlite3'

const db = new Database(process.argv[2])
db.pragma('journal_mode = WAL')
db.exec('CREATE TABLE IF NOT EXISTS debit (n INTEGER, filler BLOB); CREATE TABLE IF NOT EXISTS credit (n INTEGER)')
const [debit, credit] = [db.prepare('INSERT INTO debit VALUES (?, zeroblob(?))'), db.prepare('INSERT INTO credit VALUES (?)')]
const write = db.transaction((n: number, bytes: number) => {
  debit.run(n, bytes)
  credit.run(n)
})
write(0, 40 * 2 ** 20) // several steps of a copy
for (let n = 1; ; n++) {
  write(n, 100)
  if (n === 1) process.stdout.write('writing\n')
}
