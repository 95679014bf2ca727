/** The lints. Exceptions stand here and nowhere else: comments in the sources cannot switch a rule off. */
import { defineConfig } from 'eslint/config'
import functional from 'eslint-plugin-functional'
import tseslint from 'typescript-eslint'

/** Folders without effects: values in, values out. */
const pure = ['src/**/*.ts', 'spec/**/*.ts', 'props/arbitrary/**/*.ts']
const impure = ['src/node/**/*.{ts,cts}']

/**
 * Leaves close to the bytes, and plans, which can only ask for bytes from within a loop: there loops and local mutation
 * are allowed, because nobody outside can see them. So they are in the reference, which is to be read as a procedure.
 */
const leaves = [
  'spec/reference/**/*.ts',
  'src/bytes/**/*.ts',
  'src/store/**/*.ts',
  'src/compression/**/*.ts',
  'src/format/*view*.ts',
  'src/image/**/*.ts',
  'src/transition/**/*.ts'
]

/** Where a value is built row by row from a table, and only the table knows its type. */
const tables = ['src/bytes/bits.ts', 'src/bytes/entry.ts', 'src/bytes/growing.ts', 'src/bytes/struct.ts']

/** Globals that reach out of the values a function is given, or differ from one call to the next. */
const worldly = ['globalThis', 'process', 'console', 'Buffer', 'Date', 'performance', 'crypto', 'fetch', 'setTimeout']
const noEffect = 'A pure folder knows no world: only src/node has effects.'

export default defineConfig(
  { ignores: ['dist/', '**/*.js'] },
  {
    files: ['**/*.{ts,cts}'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    plugins: { functional },
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    linterOptions: { noInlineConfig: true },
    rules: {
      eqeqeq: 'error',
      'max-lines': ['error', 400],
      'no-var': 'error',
      'prefer-const': 'error',
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' }
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/strict-boolean-expressions': [
        'error',
        { allowString: false, allowNumber: false, allowNullableObject: false }
      ],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: true }
      ]
    }
  },
  {
    files: ['src/**/*.{ts,cts}', 'spec/**/*.ts'],
    rules: { '@typescript-eslint/consistent-type-assertions': ['error', { assertionStyle: 'never' }] }
  },
  {
    files: ['**/*.cts'],
    rules: { '@typescript-eslint/no-require-imports': ['error', { allowAsImport: true }] }
  },
  {
    files: tables,
    rules: { '@typescript-eslint/consistent-type-assertions': ['error', { assertionStyle: 'as' }] }
  },
  {
    files: pure,
    ignores: impure,
    rules: {
      'functional/immutable-data': 'error',
      'functional/no-let': 'error',
      'functional/no-loop-statements': 'error',
      'functional/no-throw-statements': 'error',
      'no-restricted-globals': ['error', ...worldly.map((name) => ({ name, message: noEffect }))],
      'no-restricted-properties': ['error', { object: 'Math', property: 'random', message: noEffect }],
      'no-restricted-imports': ['error', { patterns: [{ group: ['node:*'], message: noEffect }] }]
    }
  },
  {
    // What may fail in the shell is an Either or a TaskEither of a CommandError.
    files: impure,
    plugins: { functional },
    rules: { 'functional/no-throw-statements': 'error' }
  },
  {
    files: leaves,
    rules: {
      'functional/immutable-data': 'off',
      'functional/no-let': 'off',
      'functional/no-loop-statements': 'off'
    }
  },
  {
    files: ['props/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: 'CallExpression[callee.property.name="only"]', message: 'It would leave the other tests out.' }
      ]
    }
  }
)
