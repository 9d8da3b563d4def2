// Typed linting: what needs the type checker, the house's caps, and the ambient things that pure libraries may not touch.
// Formatting and the untyped rules are Biome's (biome.json); who may import whom is .dependency-cruiser.cjs.
import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'

const sources = ['apps/**/*.ts', 'libs/**/*.ts', 'simulators/**/*.ts', 'dashboards/**/*.ts']
const tests = ['**/*.spec.ts', '**/{test,bench}/**/*.ts', 'libs/testkit/**/*.ts']
const pure = ['libs/{model,wire,quality,regulation,alarms,aggregates,corrections,indices,dqi}/src/**/*.ts']

const namedExportsOnly = [
  { selector: 'ExportAllDeclaration', message: 'Name what you export.' },
  { selector: 'ExportDefaultDeclaration', message: 'Give it a name and export that.' }
]
const noAmbientState = [
  { selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']", message: 'Take the instant as an argument.' },
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Take the instant as an argument.' },
  { selector: "CallExpression[callee.name='Date']", message: 'Take the instant as an argument.' },
  { selector: "CallExpression[callee.object.name='performance']", message: 'Take the instant as an argument.' },
  {
    selector: "CallExpression[callee.object.name='Math'][callee.property.name='random']",
    message: 'Take the random source as an argument.'
  },
  { selector: "CallExpression[callee.object.name='crypto']", message: 'Take the random source as an argument.' }
]

export default defineConfig(
  { ignores: ['**/node_modules/', 'dist/', 'data/', 'coverage/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  { files: sources, extends: [tseslint.configs.strictTypeChecked], languageOptions: { parserOptions: { projectService: true } } },
  {
    files: sources,
    rules: {
      'max-lines': ['error', 400],
      'max-lines-per-function': ['error', { max: 60, skipComments: true }],
      'max-params': ['error', 4],
      'no-restricted-syntax': ['error', ...namedExportsOnly],
      eqeqeq: 'error',
      // `(found = next())` in parentheses is meant; a bare one is a slip.
      'no-cond-assign': ['error', 'except-parens'],
      'no-return-assign': ['error', 'except-parens'],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // Nest modules and controllers are classes because Nest wants classes.
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      // `${count} rows` says what it does; objects and undefined in a template stay errors.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // `() => close()` in a callback and `if (bad) return refuse(…)` in a function declared void are how early ends are written here.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true }],
      // A port is asynchronous also where its implementation is not (SQLite): `async` then turns a throw into a rejection.
      '@typescript-eslint/require-await': 'off',
      // Libraries declare option bags and emitters as classes; TypeScript compares shapes, and so do we.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: 'only-allowed-literals' }],
      // Spreading a string into its characters is meant here; other classes and promises stay errors.
      '@typescript-eslint/no-misused-spread': ['error', { allow: [{ from: 'lib', name: 'string' }] }],
      '@typescript-eslint/no-unused-vars': 'off' // Biome reports them
    }
  },
  {
    files: pure,
    ignores: tests,
    rules: {
      'no-restricted-globals': [
        'error',
        'process',
        'setTimeout',
        'setInterval',
        'setImmediate',
        'queueMicrotask',
        'fetch',
        'console',
        'Buffer'
      ],
      'no-restricted-syntax': ['error', ...namedExportsOnly, ...noAmbientState]
    }
  },
  {
    files: ['dashboards/**/*.ts'],
    rules: {
      // The SDK wants its v2 boards; file provisioning of every Grafana in use reads the classic ones.
      '@typescript-eslint/no-deprecated': [
        'error',
        { allow: [{ from: 'package', package: '@grafana/grafana-foundation-sdk', name: ['Dashboard', 'DashboardBuilder'] }] }
      ]
    }
  },
  {
    files: tests,
    rules: {
      // A `describe` is a chapter, not a function, and a table of cases may be long.
      'max-lines': ['error', 600],
      'max-lines-per-function': 'off',
      // In a test a wrong `!` fails the test, which is all that can be asked.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-misused-spread': 'off',
      '@typescript-eslint/unbound-method': 'off'
    }
  }
)
