/** The page of the explorer in Chromium: an image is opened, read, checked and edited there. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import type { Page } from 'playwright-core'
import { load } from '../../corpus/load.js'
import { suite } from '../run/suite.js'
import { Chromium, needsChromium, openImage } from './chromium.js'

const test = suite('explorer page')
const inChromium = needsChromium(test)
const browser = new Chromium()

test.after(() => browser.close())

const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8')

/** The text of an element. */
const textOf = async (page: Page, selector: string): Promise<string> => (await page.textContent(selector)) ?? ''

/** What axe calls serious or critical. */
const barriers = async (page: Page): Promise<readonly string[]> => {
  await page.evaluate(axe)
  const found: unknown = await page.evaluate(
    `axe.run().then(({ violations }) => violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => id + ' ' + nodes[0].html))`
  )
  return Array.isArray(found) ? found.map(String) : [String(found)]
}

inChromium('a file that is picked shows its tree, its bytes and what the first one is', async () => {
  const { page, complaints } = await browser.open()
  await openImage(page, 'disk.qcow2', load('case-31-deflate-clusters-512').image)
  assert.match(await textOf(page, '[role=tree]'), /Header.*Active disk.*Refcounts/s)
  assert.match(await textOf(page, '.row'), /^0+\s*51.46.49.fb/)
  assert.match(await textOf(page, '.selection'), /magic.*OPEN-01/s)
  assert.equal(await barriers(page), [])
  assert.equal(complaints, [])
  await page.close()
})

test.run()
