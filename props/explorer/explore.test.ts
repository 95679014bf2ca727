/** `qcow2 explore` in Chromium: large images open at once, and scrolling them costs little. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import type { Page } from 'playwright-core'
import { suite } from '../run/suite.js'
import { runHere } from '../node/outcome.js'
import { Chromium, needsChromium, selectByte } from './chromium.js'

const test = suite('explore in Chromium')
const inChromium = needsChromium(test)
const browser = new Chromium()
const folder = mkdtempSync(join(tmpdir(), 'qcow2-explore-'))
const main = fileURLToPath(new URL('../../src/node/main.js', import.meta.url))

test.after(async () => {
  await browser.close()
  rmSync(folder, { recursive: true })
})

/** Runs `work` with the URL under which an image is explored. */
const exploring = async (image: string, work: (url: string) => Promise<void>): Promise<void> => {
  const child = spawn(process.execPath, [main, 'explore', image], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const url = await new Promise<string>((resolve) =>
      child.stdout.setEncoding('utf8').once('data', (text: string) => resolve(text.split('\n', 1).join()))
    )
    await work(url)
  } finally {
    child.kill('SIGINT')
  }
}

inChromium('a disk of 1 TiB is open as soon as a small one, with its verdict and both maps', async () => {
  const image = join(folder, 'large.qcow2')
  await runHere('create', '-q', image, '1T')
  await exploring(image, async (url) => {
    const { page, complaints } = await browser.open(url)
    await page.waitForSelector('.is-clean')
    assert.match((await page.textContent('.facts')) ?? '', /1 TiB disk/)
    await page.click('text=Host clusters')
    await page.waitForSelector('.map-cells')
    await page.click('text=Guest disk')
    await page.waitForSelector('.map-cells')
    assert.equal(complaints, [])
    await page.close()
  })
})

/** Milliseconds of script that one turn of the wheel costs, the best of some series. */
const scriptOfStep = async (page: Page): Promise<number> => {
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable')
  const script = async (): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics')
    return metrics.find(({ name }) => name === 'ScriptDuration')?.value ?? 0
  }
  const turns = 40
  let best = Infinity
  for (let series = 0; series < 4; series++) {
    const before = await script()
    await page.evaluate(`(async () => {
      for (let i = 0; i < ${turns}; i++) {
        document.querySelector('.rows').dispatchEvent(new WheelEvent('wheel', { deltaY: 100, bubbles: true, cancelable: true }))
        await new Promise(requestAnimationFrame)
      }
    })()`)
    best = Math.min(best, (1000 * ((await script()) - before)) / turns)
  }
  return best
}

inChromium('a file of 10 GiB is scrolled with few nodes, and 4 ms of script a step', async () => {
  const image = join(folder, 'long.qcow2')
  await runHere('create', '-q', image, '20G')
  const fd = openSync(image, 'r+')
  ftruncateSync(fd, 10 * 2 ** 30)
  closeSync(fd)
  await exploring(image, async (url) => {
    const { page, complaints } = await browser.open(url)
    await page.waitForSelector('.verdict')
    const cost = await scriptOfStep(page)
    assert.ok(cost <= 4, `${cost} ms`)
    await selectByte(page, 9 * 2 ** 30, '9G')
    await page.waitForSelector('.row.current')
    assert.ok(Number(await page.evaluate('document.querySelectorAll("*").length')) < 1000)
    assert.match((await page.textContent('.row.current')) ?? '', /^240000000/)
    assert.equal(complaints, [])
    await page.close()
  })
})

inChromium(
  'a URL is opened where its server serves ranges to other pages, and else the page says what is missing',
  async () => {
    const path = join(folder, 'far.qcow2')
    await runHere('create', '-q', path, '1M')
    const file = readFileSync(path)
    const server = createServer((request, response) => {
      const [, from = 0, last = 0] = (/^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []).map(Number)
      const origin = request.url === '/open' ? { 'access-control-allow-origin': '*' } : {}
      const headers = { ...origin, 'access-control-allow-headers': 'range' }
      if (request.method === 'OPTIONS') response.writeHead(204, headers).end()
      else if (request.method === 'HEAD') response.writeHead(200, { ...headers, 'content-length': file.length }).end()
      else {
        const end = Math.min(file.length, last + 1)
        response
          .writeHead(206, { ...headers, 'content-range': `bytes ${from}-${end - 1}/${file.length}` })
          .end(file.subarray(from, end))
      }
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const base = `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`
    try {
      const { page } = await browser.open()
      await page.fill('#url', `${base}/closed`)
      await page.click('text=Open')
      await page.waitForSelector('text=Access-Control-Allow-Origin')
      await page.fill('#url', `${base}/open`)
      await page.click('text=Open')
      await page.waitForSelector('.is-clean')
      assert.match((await page.textContent('h1')) ?? '', /^open$/)
      await page.close()
    } finally {
      server.close()
      server.closeAllConnections()
    }
  }
)

inChromium('the page is served under localhost too, and no URL without its token is answered', async () => {
  const image = join(folder, 'small.qcow2')
  await runHere('create', '-q', image, '1M')
  await exploring(image, async (url) => {
    const { page } = await browser.open(url)
    const { origin } = new URL(url)
    assert.is(await page.evaluate(`fetch('${origin}/').then(({ status }) => status)`), 404)
    await page.goto(url.replace('127.0.0.1', 'localhost'))
    await page.waitForSelector('.verdict')
    await page.close()
  })
})

test.run()
