/** What is kept: the receiver's notes and what was received, byte for byte. Both are copied when they are appended. */
export interface JournalRecord {
  readonly head: Uint8Array
  readonly body: Uint8Array
}

export interface AppendOptions {
  /** The sender may have sent this before: a record with the same body among the newest 65,536 then stands for it. */
  readonly mayRepeat?: boolean
}

export interface AppendResult {
  readonly sequence: number
  /** True: nothing was appended; `sequence` is the earlier record with the same body. */
  readonly repeated: boolean
}
