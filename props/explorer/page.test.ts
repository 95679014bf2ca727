/** The page of the explorer in Chromium: an image is opened, read, checked and edited there. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import type { Page } from 'playwright-core'
import { load, names } from '../../corpus/load.js'
import { contentsAt } from '../../src/explorer/contents.js'
import { buildIndex, ImageIndex } from '../../src/explorer/image-index.js'
import { kindAt } from '../../src/explorer/kinds.js'
import { portableCipher } from '../../src/encryption/portable.js'
import { unlock } from '../../src/image/guest/unlock.js'
import { judge } from '../../src/explorer/verdict.js'
import { assembled, right, runOn, sameBytes } from '../image/world.js'
import { suite } from '../run/suite.js'
import { Chromium, needsChromium, openImage, pageUrl, selectByte, showsByte } from './chromium.js'

const test = suite('explorer page')
const inChromium = needsChromium(test)
const browser = new Chromium()

test.after(() => browser.close())

const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8')

/** The text of an element. */
const textOf = async (page: Page, selector: string): Promise<string> => (await page.textContent(selector)) ?? ''

/** Waits until the fragment of a page's URL is this one. */
const hasFragment = (page: Page, fragment: string): Promise<void> => page.waitForURL(({ hash }) => hash === fragment)

/** What axe calls serious or critical. */
const barriers = async (page: Page): Promise<readonly string[]> => {
  await page.evaluate(axe)
  const found: unknown = await page.evaluate(
    `axe.run().then(({ violations }) => violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => id + ' ' + nodes[0].html))`
  )
  return Array.isArray(found) ? found.map(String) : [String(found)]
}

const disk = (): Uint8Array => load('case-31-deflate-clusters-512').image

inChromium('a file that is picked shows its tree, its bytes and what the first one is', async () => {
  const { page, complaints } = await browser.open()
  assert.equal(await barriers(page), [])
  await openImage(page, 'disk.qcow2', disk())
  assert.match(await textOf(page, '[role=tree]'), /Header.*Active disk.*Refcounts/s)
  assert.match(await textOf(page, '.row'), /^0+\s*51.46.49.fb/)
  assert.match(await textOf(page, '.selection'), /magic.*OPEN-01/s)
  assert.equal(complaints, [])
  await page.close()
})

inChromium('no view has a barrier that axe calls serious, dark or light, wide or narrow', async () => {
  for (const colorScheme of ['dark', 'light'] as const)
    for (const width of [1280, 390]) {
      const { page } = await browser.open(undefined, { width, height: 800 })
      await page.emulateMedia({ colorScheme })
      await openImage(page, 'disk.qcow2', load('broken-data-in-metadata').image)
      for (const view of [
        'Bytes',
        'Host clusters',
        'Guest disk',
        ...(width < 800 ? ['Structures', 'Selection'] : [])
      ]) {
        await page.click(`.tabs >> text=${view}`)
        await page.waitForTimeout(50)
        assert.equal(await barriers(page), [], `${colorScheme} ${width} ${view}`)
      }
      await page.click('text=Edit')
      assert.equal(await barriers(page), [], `${colorScheme} ${width}, editing`)
      assert.is(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true)
      await page.close()
    }
})

/** The first compressed cluster of an image: where its payload is, and the guest bytes that it holds. */
const compressedOf = (image: Uint8Array): { readonly at: number; readonly bytes: Uint8Array } => {
  const index = new ImageIndex(image.length)
  right(runOn(image, buildIndex(index)))
  const run = [...index.data.within(0, image.length)].find(({ kind }) => kindAt(kind) === 'compressed')
  const found = run === undefined ? undefined : right(runOn(image, contentsAt(index, run.from)))
  if (run === undefined || found === undefined) throw new Error('no compressed cluster')
  return { at: run.from, bytes: found.bytes }
}

for (const name of ['case-31-deflate-clusters-512', 'case-30-zstd'])
  inChromium(`${name}: the guest bytes of a compressed cluster are shown`, async () => {
    const { image } = load(names().find((each) => each.startsWith(name)) ?? name)
    const { at, bytes } = compressedOf(image)
    const { page, complaints } = await browser.open()
    await openImage(page, 'disk.qcow2', image)
    await selectByte(page, at)
    const shown = await page.waitForSelector('.preview')
    const digits = ((await shown.textContent()) ?? '').split('\n').map((line) => line.slice(0, 24))
    const wanted = Buffer.from(bytes.subarray(0, 64)).toString('hex')
    assert.is(digits.join('').replace(/\s/g, ''), wanted)
    assert.match(await textOf(page, '.selection'), /compressed cluster/)
    assert.equal(complaints, [])
    await page.close()
  })

/** The password of the encrypted images of the corpus. */
const password = 'abc'

inChromium('the guest data of a LUKS image are shown under its password, and under no other', async () => {
  const { image } = load('case-59-luks')
  const index = new ImageIndex(image.length)
  right(runOn(image, buildIndex(index)))
  const at = [...index.data.within(0, image.length)][0]?.from ?? 0
  const m = index.metadata
  if (m === undefined) throw new Error('no header')
  const decryption = right(runOn(image, unlock(m, new TextEncoder().encode(password), portableCipher)))
  const plain = right(runOn(image, contentsAt(index, at, decryption)))?.bytes ?? new Uint8Array(0)
  const { page, complaints } = await browser.open(`${pageUrl}#at=${at}`)
  await openImage(page, 'disk.qcow2', image)
  await page.fill('#password', 'wrong')
  await page.click('text=Unlock')
  assert.match((await (await page.waitForSelector('.selection .error')).textContent()) ?? '', /Invalid password/)
  await page.fill('#password', password)
  await page.click('text=Unlock')
  const shown = (await (await page.waitForSelector('.preview')).textContent()) ?? ''
  const digits = shown.split('\n').map((line) => line.slice(0, 24))
  assert.is(digits.join('').replace(/\s/g, ''), Buffer.from(plain.subarray(0, 64)).toString('hex'))
  assert.equal(complaints, [])
  await page.close()
})

inChromium('the map of the guest disk leads to a byte when one is picked, and not when it is shown again', async () => {
  const { image } = load('case-59-luks')
  const { page, complaints } = await browser.open()
  await openImage(page, 'disk.qcow2', image)
  await page.click('text=Guest disk')
  await (await page.waitForSelector('.map-cells')).press('Home')
  await page.waitForURL((url) => url.hash.length > '#at=0x0&view=guest'.length)
  await selectByte(page, 8)
  await page.click('text=Host clusters')
  await page.click('text=Guest disk')
  await page.waitForSelector('.map-cells')
  await page.waitForTimeout(200)
  assert.is(await page.evaluate('location.hash'), '#at=0x8&view=guest')
  assert.equal(complaints, [])
  await page.close()
})

inChromium('a hostile image of each kind gives findings, and nothing else', async () => {
  const { page, complaints } = await browser.open()
  const hostile = names().filter((name, i) => name.startsWith('broken') && i % 8 === 0)
  for (const name of hostile) {
    const { image } = load(name)
    if (image.length === 0 || image.length > 2 ** 22) continue
    await openImage(page, name, image)
    for (const view of ['Host clusters', 'Guest disk', 'Bytes']) await page.click(`.tabs >> text=${view}`)
    const verdict = await textOf(page, '.verdict')
    const { verdict: wanted } = right(runOn(image, judge(image.length)))
    assert.ok(verdict.startsWith(wanted.state), `${name}: ${verdict}`)
    assert.is(await page.locator('.findings li').count(), wanted.findings.length, name)
    assert.equal(complaints, [], name)
    await page.click('text=Close')
  }
  await page.close()
})

inChromium('an edit changes the verdict on a copy, which is downloaded, and is undone', async () => {
  const { page, complaints } = await browser.open()
  const image = disk()
  await openImage(page, 'disk.qcow2', image)
  await page.click('text=Edit')
  await selectByte(page, 0x64, '0x64')
  await page.fill('#edit-100', '00 00 00 08')
  await page.click('.edit:has(#edit-100) button')
  await page.waitForSelector('.is-refused')
  assert.match(await textOf(page, '.verdict'), /was:/)
  const waiting = page.waitForEvent('download')
  await page.click('text=Save image')
  const copy = readFileSync(await (await waiting).path())
  const wanted = new Uint8Array(image)
  wanted[0x67] = 8
  assert.ok(copy.equals(wanted))
  await page.click('text=Undo')
  await page.waitForSelector('.verdict:not(.is-refused)')
  // Digits that are typed over a byte, and a bit that is clicked.
  await selectByte(page, 0x67, '0x67')
  await page.focus('.rows')
  await page.keyboard.type('08')
  await page.waitForSelector('.is-refused')
  assert.equal(complaints, [])
  await page.close()
})

inChromium('a dump that is downloaded is the one that is assembled', async () => {
  const { page } = await browser.open()
  await openImage(page, 'disk.qcow2', disk())
  const waiting = page.waitForEvent('download')
  await page.click('text=Save dump')
  const download = await waiting
  assert.is(download.suggestedFilename(), 'disk.qcow2.json')
  sameBytes(assembled(readFileSync(await download.path(), 'utf8')), disk(), 'disk')
  await page.close()
})

inChromium('everything is reached by keys alone', async () => {
  const { page } = await browser.open()
  await openImage(page, 'disk.qcow2', disk())
  const focusOn = async (selector: string): Promise<void> => {
    await page.waitForSelector(selector)
    for (let i = 0; i < 40; i++) {
      if ((await page.evaluate(`document.activeElement?.matches(${JSON.stringify(selector)})`)) === true) return
      await page.keyboard.press('Tab')
    }
    throw new Error(`${selector} is not reached`)
  }
  await focusOn('#go')
  await page.keyboard.type('0x20')
  await page.keyboard.press('Enter')
  await hasFragment(page, '#at=0x20')
  await focusOn('[role=tree]')
  await page.keyboard.press('End')
  await page.keyboard.press('ArrowUp')
  await page.keyboard.press('Home')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('Enter')
  await page.waitForURL(({ hash }) => /^#at=0x[0-9a-f]+$/.test(hash) && hash !== '#at=0x20')
  await focusOn('.rows')
  await page.keyboard.press('Control+Home')
  for (const key of ['ArrowRight', 'ArrowDown', 'n']) await page.keyboard.press(key)
  await hasFragment(page, '#at=0x14')
  // The offset of the L1 table is followed, and the way back leads to it.
  await page.keyboard.press('g')
  await page.keyboard.type('0x28')
  await page.keyboard.press('Enter')
  await page.waitForSelector('text=leads to')
  await focusOn('.rows')
  await page.keyboard.press('Enter')
  await page.waitForSelector('h3:has-text("L1 table")')
  await page.goBack()
  await hasFragment(page, '#at=0x28')
  await page.keyboard.press('PageDown')
  await page.keyboard.press('Control+End')
  await hasFragment(page, `#at=0x${(disk().length - 1).toString(16)}`)
  await page.keyboard.press('Control+Home')
  await page.keyboard.press('Shift+Tab')
  await focusOn('.tab:nth-child(2)')
  await page.keyboard.press('Enter')
  await focusOn('.map-cells')
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('+')
  await page.keyboard.press('Enter')
  await hasFragment(page, '#at=0x200')
  await page.close()
})

inChromium('a link leads to its place, and the way back to the one before', async () => {
  const { page } = await browser.open(`${pageUrl}#at=0x20&view=host`)
  await openImage(page, 'disk.qcow2', disk())
  await showsByte(page, 0x20)
  await page.waitForSelector('.map-cells')
  await page.click('text=Bytes')
  await selectByte(page, 100)
  await hasFragment(page, '#at=0x64')
  await page.goBack()
  await showsByte(page, 0x20)
  await page.close()
})

test.run()
