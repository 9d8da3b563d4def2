import { z } from 'zod'

const MIB = 1 << 20
const DAY_MS = 86_400_000

/**
 * Settings of a journal. Sizes are bytes, spans of time milliseconds.
 *
 * The `fault*` settings are an aid for proofs that acknowledged records survive a kill; leave them out in production.
 */
export const JournalConfig = z
  .strictObject({
    /** Folder of `journal.sqlite` and `journal.lock`; made when it is missing. */
    dir: z.string().min(1),
    /** Quota: pages in use plus the write-ahead log. Appends are refused before it is passed. */
    maxBytes: z.coerce
      .number()
      .int()
      .min(MIB)
      .default(8 * 1024 * MIB),
    /** Retention: records younger than this are kept even when every cursor has passed them, unless the quota presses. */
    maxAgeMs: z.coerce
      .number()
      .int()
      .min(0)
      .default(30 * DAY_MS),
    /** Share of `maxBytes` from which passed blocks are deleted before their age. */
    softShare: z.coerce.number().gt(0).max(1).default(0.9),
    /** One commit takes at most this much (or one larger record). */
    batchBytes: z.coerce
      .number()
      .int()
      .min(1024)
      .max(64 * MIB)
      .default(4 * MIB),
    /** Largest record: head and body together. */
    maxRecordBytes: z.coerce
      .number()
      .int()
      .min(1024)
      .max(512 * MIB)
      .default(8 * MIB),
    /** Records waiting for the disk may hold this much memory; more is refused at once. */
    maxBacklogBytes: z.coerce
      .number()
      .int()
      .min(MIB)
      .default(256 * MIB),
    /** The write-ahead log is folded into the file when it has grown this large: small enough that no commit waits long for it. */
    walBytes: z.coerce
      .number()
      .int()
      .min(64 * 1024)
      .default(4 * MIB),
    /** While storage fails, it is tried again at most this often. */
    probeIntervalMs: z.coerce.number().int().min(10).default(250),
    /** Marks of consumers are sent to the writer this often. */
    markIntervalMs: z.coerce.number().int().min(10).default(1000),
    /** Where the writer kills the process (or itself: `writer-crash`) in its commit number `faultAfter`. */
    faultPoint: z.enum(['before-commit', 'after-commit-before-ack', 'writer-crash']).optional(),
    faultAfter: z.coerce.number().int().min(1).default(1)
  })
  .readonly()

/** The settings as parsed, defaults filled in. */
export type JournalConfig = z.infer<typeof JournalConfig>

/** The settings as given: `dir` is required, the others have defaults. */
export type JournalSettings = z.input<typeof JournalConfig>
