// Tests run on the compiled output: the very files that ship, worker threads included (decision 0002).
// Suites against real servers take their time and need what is not everywhere: they run when they are asked for, by
// `npm run test:real` or by naming a server. libs/test-servers says where each is looked for.
const asked = process.argv.some(word => word.includes('real')) || Object.keys(process.env).some(name => name.startsWith('QUANTRAC_TEST_'))
if (!asked) console.error('not run: suites against a real InfluxDB and PostgreSQL (npm run test:real)')

export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/dist'],
  testMatch: ['**/*.spec.js'],
  testPathIgnorePatterns: ['/node_modules/', ...(asked ? [] : ['[.]real[.]spec[.]js$'])],
  transform: {},
  maxWorkers: 2,
  testTimeout: 30_000
}
