/** The proof itself could not be carried out; says nothing about the server's promise. */
export class ProofError extends Error {
  override readonly name = 'ProofError'
  readonly code: 'QT_PROOF_OPTIONS' | 'QT_PROOF_SERVER' | 'QT_PROOF_TIME' | 'QT_PROOF_ANSWER'

  constructor(code: ProofError['code'], message: string) {
    super(message)
    this.code = code
  }
}
