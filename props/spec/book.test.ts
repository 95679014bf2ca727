/** The book has a place for every clause, and each of its links leads somewhere. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as assert from 'uvu/assert'
import { clauses } from '../../spec/clauses/index.js'
import { loadVectors } from '../../src/node/conform/index.js'
import { right } from '../image/world.js'
import { Chromium, needsChromium } from '../explorer/chromium.js'
import { examples } from '../tools/book/examples.js'
import { placeOf } from '../tools/book/links.js'
import { apiFolder } from '../tools/book/page.js'
import { bookFiles } from '../tools/book/site.js'
import { suite } from '../run/suite.js'

const test = suite('book')

/** Whether a page is the explorer on an image of the book. */
const isExample = (name: string): boolean => examples.some(({ page }) => name === `${page}.html`)

const files = bookFiles()
const pages = [...files].filter(([name]) => name.endsWith('.html') && !isExample(name))

const matches = (text: string, pattern: RegExp): readonly string[] =>
  Array.from(text.matchAll(pattern), ([, group = '']) => group)

const anchors = new Map(pages.map(([name, text]) => [name, new Set(matches(text, / id="([^"]*)"/g))]))

/** Why a link of a page leads nowhere. */
const broken = (from: string, href: string): readonly string[] => {
  if (/^https?:/.test(href)) return []
  const [path = '', fragment] = href.split('#')
  const name = path === '' ? from : path
  if (name === `${apiFolder}/index.html`) return []
  if (files.has(name) && isExample(name))
    return fragment === undefined || /^at=0x[0-9a-f]+$/.test(fragment) ? [] : [href]
  const leads = files.has(name) && (fragment === undefined || anchors.get(name)?.has(fragment) === true)
  return leads ? [] : [`${from}: ${href}`]
}

test('every link of every page leads to a page, and to an anchor that it has', () => {
  const links = pages.flatMap(([name, text]) =>
    matches(text, /<(?:(?:a|link) [^>]*href|iframe [^>]*src)="([^"]*)"/g).map((to) => [name, to] as const)
  )
  assert.ok(links.length > 1500, String(links.length))
  assert.equal([...new Set(links.flatMap(([name, to]) => broken(name, to)))], [])
  assert.equal(broken('index.html', 'nowhere.html'), ['index.html: nowhere.html'])
  assert.equal(broken('index.html', 'fields.html#nowhere'), ['index.html: fields.html#nowhere'])
})

test('every line of the search leads to a page, and to an anchor that it has', () => {
  const lines = matches(files.get('search-index.js') ?? '', /","([^"]*)"\]/g)
  assert.ok(lines.length > 500, String(lines.length))
  assert.equal(
    lines.flatMap((to) => broken('index.html', to)),
    []
  )
})

test('every clause has one section, with what it says and its witness', () => {
  for (const id of Object.keys(clauses)) {
    const sections = pages.filter(([, text]) => text.includes(`<section id="${id.toLowerCase()}">`))
    assert.is(sections.length, 1, id)
    assert.is(`${sections[0]?.[0]}#${id.toLowerCase()}`, placeOf(id))
    const text = (sections[0]?.[1] ?? '').split(`<section id="${id.toLowerCase()}">`)[1]?.split('</section>')[0] ?? ''
    assert.match(text, '<p class="says">', id)
    assert.match(text, '<pre', id)
  }
})

test('the index of messages has the clause of a refcount block that is not aligned', () => {
  const row = (files.get('messages.html') ?? '')
    .split('<tr>')
    .find((each) => each.includes('refcount block … is not cluster aligned'))
  assert.match(row ?? '', /href="[a-z]+\.html#[a-z]+-\d+"/)
})

test('every vector has one anchor, and clauses lead to the vectors that hold and break them', () => {
  const { vectors } = right(loadVectors())
  const anchorsOf = matches(files.get('vectors.html') ?? '', / id="([^"]*)"/g)
  for (const { id } of vectors) assert.ok(anchorsOf.includes(id), id)
  const own = (files.get('table.html') ?? '').split('<section id="l1-01">')[1]?.split('</section>')[0] ?? ''
  assert.match(own, /break it:<\/b> <a href="vectors\.html#/)
  assert.match(own, /hold it:<\/b> <a href="vectors\.html#/)
})

test('each of twenty questions is answered with a link into the book', () => {
  const answers = (files.get('questions.html') ?? '').split('<h2').slice(1)
  assert.is(answers.length, 20)
  for (const answer of answers) assert.match(answer, /<a href="[a-z-]+\.html/)
})

const browser = new Chromium()
const inBrowser = needsChromium(test)
const folder = mkdtempSync(join(tmpdir(), 'qcow2-book-'))

test.before(() => {
  for (const [name, text] of files) writeFileSync(join(folder, name), text)
})

test.after(async () => {
  await browser.close()
  rmSync(folder, { recursive: true })
})

const open = (name: string, width: number) =>
  browser.open(pathToFileURL(join(folder, name)).href, { width, height: 800 })

inBrowser('a search leads to the message of QEMU that was typed', async () => {
  const { page, complaints } = await open('index.html', 1100)
  await page.fill('#search', 'refcount block is not cluster aligned')
  await page.click('#found a')
  await page.waitForURL(/messages\.html#/)
  assert.equal(complaints, [])
})

inBrowser('pages have no serious fault of accessibility, and fit a phone', async () => {
  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
  for (const name of ['index.html', 'table.html', 'messages.html']) {
    const { page } = await open(name, 380)
    assert.is(await page.evaluate('document.documentElement.scrollWidth > innerWidth'), false, name)
    await page.evaluate(axe)
    const found = await page.evaluate(
      "axe.run().then(({ violations }) => violations.filter(({ impact }) => ['serious', 'critical'].includes(impact)).map(({ id }) => id))"
    )
    assert.equal(found, [], name)
  }
})

inBrowser('a printed page cuts nothing off, and is on white paper', async () => {
  for (const name of ['a-write.html', 'table.html', 'messages.html']) {
    const { page } = await open(name, 700)
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
    const cut =
      "[...document.querySelectorAll('pre, .scroll')].filter((each) => each.scrollWidth > each.clientWidth + 1).length"
    assert.is(await page.evaluate(cut), 0, name)
    assert.is(await page.evaluate('getComputedStyle(document.body).backgroundColor'), 'rgb(255, 255, 255)', name)
  }
})

test.run()
