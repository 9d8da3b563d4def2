// Tests run on the compiled output: the very files that ship, worker threads included (decision 0002).
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/dist'],
  testMatch: ['**/*.spec.js'],
  transform: {},
  maxWorkers: 2,
  testTimeout: 30_000
}
