// Who may import whom. Read top to bottom: it is the architecture. libs/testkit/src/layers.spec.ts plants a violation of every
// rule and sees it caught; a new rule needs a new plant there.
const pure = '^libs/(model|wire|quality|regulation|alarms|aggregates|corrections|indices|dqi)/'
const tests = ['[.]spec[.]ts$', '/(test|bench)/'] // tests and benches may reach sideways and into testkit; shipped code may not
const lib = names => ({ path: `^libs/(${names})/src/`, pathNot: tests })
const error = (name, comment, from, to) => ({ name, severity: 'error', comment, from, to })
module.exports = {
  forbidden: [
    error('no-circular', 'A cycle means two things are one thing, or a port is missing.', {}, { circular: true }),
    error('no-unresolved', 'What cannot be resolved escapes every rule below.', {}, { couldNotResolve: true }),
    error('model-is-a-leaf', 'The vocabulary depends on nothing.', lib('model'), { pathNot: '^libs/model/' }),
    error('journal-is-a-leaf', 'The journal stores bytes. It must not learn what a reading is.', lib('journal'), {
      pathNot: ['^libs/journal/', '^node_modules/(zod|better-sqlite3)/'],
      dependencyTypesNot: ['core']
    }),
    error(
      'rules-know-only-the-model',
      'Siblings; the pipeline is what joins them.',
      lib('wire|quality|regulation|alarms|aggregates|corrections|indices|dqi'),
      {
        path: '^(libs|apps|simulators)/',
        pathNot: ['^libs/model/src/index[.]ts$', '^libs/$1/src/']
      }
    ),
    error(
      'pure-has-no-io',
      'No node: modules, so no disk and no socket: pass values or ports in.',
      { path: pure, pathNot: tests },
      { dependencyTypes: ['core'] }
    ),
    error(
      'pure-npm-allowlist',
      'Nothing from npm but zod, and the next rule says where.',
      { path: pure, pathNot: tests },
      { dependencyTypes: ['npm', 'npm-dev', 'npm-peer', 'npm-no-pkg'], pathNot: '^node_modules/zod/' }
    ),
    error(
      'zod-at-the-edges',
      'Parse payloads in wire and settings in a config.ts; elsewhere trust the types.',
      { pathNot: ['^(libs/(wire|platform)|apps|simulators)/', '/src/config[.]ts$', ...tests] },
      { path: '^node_modules/zod/' }
    ),
    error('pipeline-looks-down', 'The pipeline declares ports; it never sees an adapter or an app.', lib('pipeline'), {
      path: '^(libs/(adapters|platform)|apps|simulators)/'
    }),
    error(
      'adapters-do-not-meet',
      'An adapter sees the pipeline for its port, the model, the platform; never another adapter.',
      { path: '^libs/adapters/([^/]+)/', pathNot: tests },
      { path: '^(libs|apps|simulators)/', pathNot: ['^libs/adapters/$1/', '^libs/(model|pipeline|platform)/src/index[.]ts$'] }
    ),
    error(
      'nest-only-in-apps',
      'Nest wires processes. Nothing below apps/ is decorated.',
      { pathNot: '^apps/' },
      { path: '^node_modules/@nestjs/' }
    ),
    error(
      'aedes-has-one-home',
      'ESM-only, callback-shaped: one folder adapts it.',
      { pathNot: '^libs/adapters/broker-aedes/' },
      { path: '^node_modules/(aedes|mqemitter)[^/]*/' }
    ),
    error(
      'influx-has-one-home',
      'One folder adapts it.',
      { pathNot: '^libs/adapters/store-influx/' },
      { path: '^node_modules/@influxdata/' }
    ),
    error(
      'sqlite-has-few-homes',
      'The journal, the embedded time series, the state store, the broker sessions, what copies their files, and the receiver that plays the warehouse.',
      { pathNot: ['^libs/(journal|adapters/(store-sqlite|state|broker-aedes|backup))/', '^simulators/warehouse/', ...tests] },
      { path: '^node_modules/better-sqlite3/' }
    ),
    error(
      'pg-has-few-homes',
      'PostgreSQL is one of the two homes of the state, and a warehouse; what starts a server for tests asks it a few things too.',
      { pathNot: ['^libs/(adapters/(state|warehouse-postgres)|test-servers)/', ...tests] },
      { path: '^node_modules/(pg|@types/pg)/' }
    ),
    error('libs-do-not-see-apps', 'Composition roots are the top.', { path: '^libs/' }, { path: '^(apps|simulators)/' }),
    error(
      'simulators-are-outsiders',
      'They speak MQTT and HTTP; they share vocabulary, not code paths.',
      { path: '^simulators/', pathNot: tests },
      { path: '^(libs|apps)/', pathNot: '^libs/(model|wire|platform|test-servers)/src/index[.]ts$' }
    ),
    error(
      'boards-name-what-is-stored',
      'A board needs the names of what is stored, and nothing of how.',
      { path: '^dashboards/', pathNot: tests },
      { path: '^(libs|apps|simulators)/', pathNot: '^libs/(model|adapters/store-influx)/src/index[.]ts$' }
    ),
    error('boards-are-a-tool', 'Made by hand, shipped as files.', { path: '^(libs|apps|simulators)/' }, { path: '^dashboards/' }),
    error(
      'front-door-only',
      'Between libraries import the index. Deep imports make every file public.',
      { path: '^(libs/(?:adapters/)?[^/]+|apps/[^/]+|simulators/[^/]+)/' },
      { path: '^libs/(?:adapters/)?[^/]+/src/', pathNot: ['^$1/', 'src/index[.]ts$'] }
    ),
    error(
      'testkit-in-tests-only',
      'Fakes and harnesses never ship.',
      { pathNot: ['^libs/testkit/', ...tests] },
      { path: '^libs/testkit/' }
    ),
    error(
      'real-servers-beside-tests',
      'They are started by specs, benches and the kill proof, never by what ships.',
      { pathNot: ['^libs/test-servers/', '^simulators/(bench|chaos)/', ...tests] },
      { path: '^libs/test-servers/' }
    ),
    error('test-servers-is-a-leaf', 'It starts programs and knows no domain.', lib('test-servers'), {
      path: '^(libs|apps|simulators)/',
      pathNot: '^libs/test-servers/'
    }),
    error(
      'no-dev-packages-in-shipped-code',
      'A server installed without development packages must start.',
      { path: '^(apps|libs|simulators)/', pathNot: ['^libs/(testkit|test-servers)/', ...tests] },
      { dependencyTypes: ['npm-dev'] }
    )
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    // `source` first: `#libs/<name>` then means the library's index.ts, not its compiled twin in dist.
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'require', 'node', 'default', 'types']
    }
  }
}
