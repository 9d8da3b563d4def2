import { describe } from '@jest/globals'
import { accessSuite } from './access-suite.js'
import { aggregatesSuite } from './aggregates-suite.js'
import { alarmLogSuite } from './alarm-log-suite.js'
import { correctionsSuite } from './corrections-suite.js'
import type { Bench } from './fixtures.js'
import { forwardingSuite } from './forwarding-suite.js'
import { journalTieSuite } from './journal-tie-suite.js'
import { lawSuite } from './law-suite.js'
import { ledgerSuite } from './ledger-suite.js'
import { openingSuite } from './opening-suite.js'
import { outboxSuite } from './outbox-suite.js'
import { refusalsSuite } from './refusals-suite.js'
import { transitionsSuite } from './transitions-suite.js'

/** Everything that a state does, wherever it lies. */
export function stateSuite(bench: Bench): void {
  // Each in a group of its own: what one prepares for its tests is no business of the others.
  describe('opened', () => openingSuite(bench))
  describe('access', () => accessSuite(bench))
  describe('aggregates', () => aggregatesSuite(bench))
  describe('forwarding', () => forwardingSuite(bench))
  describe('alarms', () => alarmLogSuite(bench))
  describe('corrections', () => correctionsSuite(bench))
  describe('law', () => lawSuite(bench))
  describe('outbox', () => outboxSuite(bench))
  describe('refusals', () => refusalsSuite(bench))
  describe('journal', () => journalTieSuite(bench))
  describe('ledger', () => ledgerSuite(bench))
  describe('transitions', () => transitionsSuite(bench))
}
