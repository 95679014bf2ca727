/** `npm start`: a report on the image named, or on one of the corpus. */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import * as E from 'fp-ts/lib/Either.js'
import { fromMemory, runSync } from '../bytes/plan.js'
import { readFacts } from '../image/info.js'
import { fail } from './files/output.js'
import { refusalLine } from './images/usable.js'
import { info, report } from './commands/info.js'

const embedded = 'corpus/images/matrix-64k-w16-v3-zstd-ext.qcow2.gz'

const reportEmbedded = (): number => {
  const image = gunzipSync(readFileSync(new URL(`../../../${embedded}`, import.meta.url)))
  const facts = runSync(readFacts(), { read: fromMemory(image) })
  if (E.isLeft(facts)) return fail(refusalLine(embedded, facts.left))
  return report(facts.right, { name: embedded, length: image.length }, false)
}

const [name] = process.argv.slice(2)
process.exitCode = name === undefined ? reportEmbedded() : await info(name, false)
