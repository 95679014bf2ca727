/** The library's part of the book has what the entries export, with examples, and leads to clauses. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, normalize } from 'node:path'
import * as assert from 'uvu/assert'
import { clauses } from '../../spec/clauses/index.js'
import { entries, writeApi } from '../tools/book/api.js'
import { placeOf } from '../tools/book/links.js'
import { apiFolder } from '../tools/book/page.js'
import { suite } from '../run/suite.js'

const test = suite('api')

/** The pages about two entries, by their paths in the book. */
const written = async (): Promise<ReadonlyMap<string, string>> => {
  const folder = mkdtempSync(join(tmpdir(), 'qcow2-api-'))
  try {
    await writeApi(
      folder,
      entries().filter(({ name }) => ['qcow2-spec/spec', 'qcow2-spec/store'].includes(name))
    )
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.html'))
    return new Map(names.map((name) => [join(apiFolder, name), readFileSync(join(folder, name), 'utf8')]))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('every entry of the package with declarations is documented', () => {
  const names = entries().map(({ name }) => name)
  assert.is(names.length, 10)
  assert.ok(names.includes('qcow2-spec') && names.includes('qcow2-spec/vectors'), names.join())
})

test('pages about the library have its examples, and lead to the clauses in the book', async () => {
  const api = await written()
  const page = api.get('api/functions/qcow2-spec_store.crashStates.html') ?? ''
  assert.match(page, /<h4[^>]*>Example/)
  assert.ok(api.has('api/index.html'))
  const links = [...api]
    .flatMap(([name, text]) =>
      Array.from(text.matchAll(/ href="((?:\.\.\/)+[a-z-]+\.html[^"]*)"/g), ([, href = '']) =>
        normalize(join(dirname(name), href))
      )
    )
    .filter((to) => !to.startsWith(`${apiFolder}/`))
  assert.ok(links.some((to) => to.includes('#')))
  const places = ['index.html', ...Object.keys(clauses).map(placeOf)]
  assert.equal(
    [...new Set(links)].filter((to) => !places.includes(to)),
    []
  )
})

test.run()
