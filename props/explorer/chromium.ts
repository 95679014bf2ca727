/** The page in a real browser; without Chromium the tests that need it are skipped. */
import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'
import type { Suite } from '../run/suite.js'

const executablePath = '/usr/bin/chromium'

/** The URL of the built page. */
export const pageUrl = new URL('../../src/explorer/explorer.html', import.meta.url).href

/** Milliseconds after which the page is held to be stuck, on a machine with much other work. */
const patience = 60_000

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
]

export interface Tab {
  readonly page: Page
  /** What the page threw or printed. */
  readonly complaints: string[]
}

/** The browser of a test file; it is started once, and closed by `close`. */
export class Chromium {
  private browser: Browser | undefined

  /** A new page at this URL, or at that of the built file. */
  async open(url = pageUrl, size = { width: 1280, height: 800 }): Promise<Tab> {
    this.browser ??= await chromium.launch({ executablePath, args: flags })
    const page = await this.browser.newPage({ viewport: size, acceptDownloads: true })
    page.setDefaultTimeout(patience)
    const complaints: string[] = []
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text())
    })
    await page.goto(url)
    return { page, complaints }
  }

  async close(): Promise<void> {
    await this.browser?.close()
  }
}

/** Opens an image in a page, and waits for the verdict on it. */
export const openImage = async (page: Page, name: string, image: Uint8Array): Promise<void> => {
  await page.setInputFiles('input[type=file]', { name, mimeType: '', buffer: Buffer.from(image) })
  await page.waitForSelector('.verdict')
}

/** Waits until a page shows what the byte at this offset is. */
export const showsByte = async (page: Page, at: number): Promise<void> => {
  await page.waitForSelector(`.selection h2:has(.mono:text-is("0x${at.toString(16)}")):has(.hint)`)
}

/** Selects the byte at this offset, as it is `written`, and waits until the page shows what it is. */
export const selectByte = async (page: Page, at: number, written = String(at)): Promise<void> => {
  await page.fill('#go', written)
  await page.press('#go', 'Enter')
  await showsByte(page, at)
}

/** Registers a test that runs Chromium; without it the test is skipped. */
export const needsChromium =
  (test: Suite): ((title: string, work: () => Promise<void>) => void) =>
  (title, work) =>
    existsSync(executablePath) ? test(title, work) : test.skip(title, `there is no ${executablePath}`)
