/** The lint rules. All exceptions are here: comments in the sources cannot disable a rule. */
import { defineConfig } from 'eslint/config'
import functional from 'eslint-plugin-functional'
import tseslint from 'typescript-eslint'

/** Folders without effects: values in, values out. */
const pure = ['src/**/*.ts', 'spec/**/*.ts', 'props/arbitrary/**/*.ts']
const impure = ['src/node/**/*.{ts,cts}', 'src/explorer/page/**/*.{ts,tsx}']

/**
 * Code close to the bytes, and plans, which can only ask for bytes from within a loop: loops and local mutation are
 * allowed, since no caller can see them. The reference may use them too: it reads as a procedure.
 */
const leaves = [
  'spec/reference/**/*.ts',
  'src/bytes/**/*.ts',
  'src/store/**/*.ts',
  'src/compression/**/*.ts',
  'src/encryption/**/*.ts',
  'src/format/*view*.ts',
  'src/image/**/*.ts',
  'src/nbd/**/*.ts',
  'src/crash/**/*.ts',
  'src/transition/**/*.ts',
  'src/explorer/*.ts',
  'src/fuzz/**/*.ts'
]

/** Code that builds a value row by row from a table: only the table knows the type. */
const tables = ['src/bytes/bits.ts', 'src/bytes/entry.ts', 'src/bytes/growing.ts', 'src/bytes/struct.ts']

/** Globals with effects, or with values that change from call to call. */
const impureGlobals = [
  'globalThis',
  'process',
  'console',
  'Buffer',
  'Date',
  'performance',
  'crypto',
  'fetch',
  'setTimeout'
]
const noEffect = 'Only src/node and src/explorer/page have effects.'

/** The page, which has types of its own: those of a browser. */
const page = ['src/explorer/page/**/*.{ts,tsx}']

export default defineConfig(
  { ignores: ['dist/', '**/*.js'] },
  {
    files: ['**/*.{ts,cts,tsx}'],
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
    files: page,
    languageOptions: {
      parserOptions: { project: './src/explorer/page/tsconfig.json', tsconfigRootDir: import.meta.dirname }
    }
  },
  {
    files: ['src/**/*.{ts,cts,tsx}', 'spec/**/*.ts'],
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
      'no-restricted-globals': ['error', ...impureGlobals.map((name) => ({ name, message: noEffect }))],
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
    // A codec is an io-ts type by its members. Their class would bring all of io-ts into every bundle.
    files: ['src/bytes/type.ts', 'props/bytes/type.test.ts'],
    rules: { '@typescript-eslint/no-unsafe-class-instance-assignment': 'off' }
  },
  {
    files: ['props/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: 'CallExpression[callee.property.name="only"]', message: 'It would skip the other tests.' }
      ]
    }
  }
)
