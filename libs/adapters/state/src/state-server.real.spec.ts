import { afterAll, describe } from '@jest/globals'
import { described, startPostgres } from '#libs/test-servers'
import { Bench } from '../test/fixtures.js'
import { ServerHome } from '../test/homes.js'
import { killSuite } from '../test/kill-suite.js'
import { stateSuite } from '../test/suites.js'

const found = await startPostgres()
if (!('absent' in found)) afterAll(() => found.dispose())

described(describe, { kind: 'postgres', name: 'the state on PostgreSQL', found }, server => {
  const bench = new Bench(new ServerHome(server))
  stateSuite(bench)
  killSuite(bench)
})
