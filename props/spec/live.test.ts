/** The explorer in the book: each field is where the book says in an image, and clauses lead from the one to the other. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as assert from 'uvu/assert'
import { select, type SelectedPart } from '../../src/explorer/selection.js'
import { check } from '../../src/image/check/check.js'
import { Chromium, needsChromium } from '../explorer/chromium.js'
import { right, runOn } from '../image/world.js'
import { examples } from '../tools/book/examples.js'
import { fields } from '../tools/book/fields.js'
import { bookFiles } from '../tools/book/site.js'
import { suite } from '../run/suite.js'

const test = suite('live')

const book = bookFiles()

/** What the explorer shows as one part, without its fields. */
const wholes: Readonly<Record<string, string>> = {
  'header extension': 'header extensions',
  'extra data of a snapshot': 'extra_data'
}

/** The names in a part: its own, and those of its fields. */
const namesOf = ({ structure, part, diagrams, value }: SelectedPart): readonly string[] => [
  structure,
  part,
  ...diagrams.flatMap(({ ranges }) => ranges.map(({ name }) => name)),
  JSON.stringify(value)
]

/** What is shown where the book decodes a field. */
const shownAt = (to: string): readonly string[] => {
  const [page, at] = to.split('.html#at=')
  const example = examples.find((each) => each.page === page)
  if (example === undefined) throw new Error(to)
  const { parts } = right(runOn(example.image, select(example.index, Number(at), [])))
  return parts.flatMap(namesOf)
}

test('the place at which the book decodes a field has that field', () => {
  const decoded = fields.filter((field) => field.decoded !== undefined)
  const lost = decoded.filter(
    ({ name, structure, decoded: to = '' }) => !shownAt(to).some((each) => each.includes(wholes[structure] ?? name))
  )
  assert.equal(lost, [])
  assert.ok(decoded.length > 60, String(decoded.length))
})

test('the images of the book are clean', () => {
  for (const { page, image } of examples) {
    const { corruptions, leaks, flaws } = right(right(runOn(image, check(image.length))))
    assert.equal([corruptions, leaks, flaws], [0, 0, 0], page)
  }
})

const browser = new Chromium()
const inBrowser = needsChromium(test)

test.after(() => browser.close())

inBrowser('a chapter decodes a field in its page, and the clause of the field leads back to the book', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'qcow2-live-'))
  try {
    for (const name of ['table.html', 'example.html', 'style.css', 'search.js', 'search-index.js'])
      writeFileSync(join(folder, name), book.get(name) ?? '')
    const { page, complaints } = await browser.open(pathToFileURL(join(folder, 'table.html')).href)
    await page.click('#l1-01 .live summary')
    const live = page.frameLocator('#l1-01 iframe')
    await live.locator('.ranges th:has-text("l2_table_offset")').waitFor()
    await page.click('#l1-01 .live a:has-text("copied")')
    await live.locator('.part a.clause:has-text("L1-01")').first().click()
    await page.waitForURL(/table\.html#l1-01$/)
    assert.equal(complaints, [])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.run()
