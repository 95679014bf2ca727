/** `qcow2 explore`: the explorer on an image, for the browser of this machine. */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { failure, get, system, using, wait } from '../command-error.js'
import { servePage } from '../explore/page-server.js'
import { openSource } from '../files/file.js'
import { readAccess } from '../files/lock.js'
import { print } from '../files/output.js'
import { argument, command, option, orElse, text } from './command.js'
import { forceShare, remote, wholeNumber } from './options.js'

/** The built page: the command is one file, which lies one folder higher than this module. */
const pages = ['../explorer/explorer.html', '../../explorer/explorer.html'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url))
)

/** The place in the page for what it opens. */
const empty = 'id="image">null<'

/** JSON in which no tag of HTML can begin. */
const jsonInHtml = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c')

export const explore = command({
  args: { image: argument('<image>', 'the image, or its URL', text) },
  options: {
    port: option(
      '-p, --port <port>',
      'listen on this port of 127.0.0.1; any free one unless it is given',
      orElse(wholeNumber('port', 0, 65535), 0)
    ),
    forceShare,
    remote
  },
  async *run({ image }, { port: wanted, forceShare: isForced, remote: reading }) {
    const built = pages.find((path) => existsSync(path))
    if (built === undefined)
      return yield* get(failure('The page of the explorer is not built: npm run explorer builds it'))
    const html = yield* get(system('read', built, () => readFileSync(built, 'utf8')))
    return yield* using(openSource(image, readAccess('qcow2', isForced), reading), async function* (source) {
      const name = basename(source.name)
      const page = html.replace(empty, () => `id="image">${jsonInHtml({ name, url: 'image' })}<`)
      const token = randomBytes(16).toString('hex')
      return yield* wait(servePage({ source, page, token }, wanted, (url) => print(`${url}\nCtrl-C ends it.\n`)))
    })
  }
})
