/**
 * A value against its limit. The pre-limit bands are Envisoft's names (regulations.md 9): the provincial plan asks for
 * warning when there is a *risk*. An indicator for review, never a violation. `no-limit` is a state of its own: a limit
 * that nobody loaded is never "compliant".
 */
export type Verdict = 'within' | 'tendency' | 'preparing' | 'exceeds' | 'no-limit' | 'not-evaluated'
