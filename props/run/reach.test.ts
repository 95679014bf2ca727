/** `npm run quick` runs every test file that loads what has changed. */
import * as assert from 'uvu/assert'
import { namedModules } from './imports.js'
import { reach } from './reach.js'
import { suite } from './suite.js'

const test = suite('reach')

test('a module is loaded by an import, an export, import() and a path to start, but not by a type', () => {
  const text = `
    import { a } from './a.js'
    import type { B } from './b.js'
    export * from '../c.js'
    const d = () => import('./d.js')
    const e = new URL('../../src/node/e.js', import.meta.url)
    const f = built('src/node/f.js')
  `
  const loaded = ['props/node/a.ts', 'props/c.ts', 'props/node/d.ts', 'src/node/e.ts', 'src/node/f.ts']
  assert.equal(namedModules('props/node/x.test.ts', text), loaded)
})

test('a change reaches what loads it, by the shortest way, and no further', () => {
  const loads = new Map([
    ['a', []],
    ['b', ['a']],
    ['c', ['b', 'a']],
    ['d', ['c']],
    ['e', []]
  ])
  assert.equal([...reach(loads, ['a'])], [...new Map(Object.entries({ a: 0, b: 1, c: 1, d: 2 }))])
  assert.equal([...reach(loads, ['d', 'e'])], [...new Map(Object.entries({ d: 0, e: 0 }))])
})

test('a change of a file that tests read reaches them', () => {
  const loads = new Map([['props/corpus/corpus.test.ts', ['corpus/load.ts']]])
  const reached = reach(loads, ['corpus/images/a.gz', 'spec/structures.md'])
  assert.is(reached.get('props/corpus/corpus.test.ts'), 2)
  assert.is(reached.get('props/spec/pages.test.ts'), 1)
})

test.run()
