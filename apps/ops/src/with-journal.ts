import { JournalReader } from '#libs/journal'

/** Reads the journal of a data directory, also while a server writes to it. @throws JournalError */
export async function withJournal<T>(dataDir: string, work: (journal: JournalReader) => T | Promise<T>): Promise<T> {
  const journal = JournalReader.open(dataDir)
  try {
    return await work(journal)
  } finally {
    journal.close()
  }
}
