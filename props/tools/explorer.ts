/** `npm run explorer`: builds the page of the explorer, one HTML file that needs no network. */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { build, type Metafile } from 'esbuild'
import { licencesOf } from './licences.js'

const source = 'src/explorer/page'
const out = 'dist/src/explorer'

/** The program of an entry point as text for a script element, and what is in it. */
const bundled = async (entry: string): Promise<{ readonly text: string; readonly metafile: Metafile }> => {
  const { outputFiles, metafile } = await build({
    entryPoints: [`${source}/${entry}`],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    platform: 'browser',
    target: 'es2022',
    format: 'iife',
    charset: 'utf8',
    legalComments: 'none',
    jsx: 'automatic',
    jsxImportSource: 'preact'
  })
  return { text: (outputFiles[0]?.text ?? '').replaceAll('</script', '<\\/script').trim(), metafile }
}

const style = async (): Promise<string> => {
  const { outputFiles } = await build({ entryPoints: [`${source}/style.css`], minify: true, write: false })
  return (outputFiles[0]?.text ?? '').trim()
}

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

const [page, worker, css] = await Promise.all([bundled('main.tsx'), bundled('worker.ts'), style()])
// Only the program of this file runs; images on servers are what the page may ask for.
const policy = [
  "default-src 'none'",
  `script-src ${hashOf(page.text)} blob:`,
  'worker-src blob:',
  "style-src 'unsafe-inline'",
  'img-src data:',
  'connect-src *',
  "base-uri 'none'",
  "form-action 'none'"
].join('; ')
const parts = { style: css, image: 'null', worker: worker.text, page: page.text }

/** The template with a text in the empty element of this id. */
const filled = (html: string, [id, text]: readonly [string, string]): string =>
  html.replace(new RegExp(`(id="${id}">)(?=</)`), (_, tag: string) => tag + text)

const template = readFileSync(`${source}/page.html`, 'utf8')
mkdirSync(out, { recursive: true })
writeFileSync(
  `${out}/explorer.html`,
  `${Object.entries(parts).reduce(filled, template).replace('content=""', `content="${policy}"`)}
<!--
${licencesOf(page.metafile, worker.metafile).replaceAll('--', '==')}-->
`
)
