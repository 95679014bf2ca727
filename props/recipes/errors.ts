/** How to read what is wrong: `node errors.js IMAGE` prints it as each layer of the library reports it. */
import { readFileSync } from 'node:fs'
import { PathReporter } from 'io-ts/lib/PathReporter.js'
import { header, isIssue, show } from 'qcow2-spec/format'
import { fromBlob, readInfo, runAsync, showFailure } from 'qcow2-spec/image'
import { openChain } from 'qcow2-spec/node'

const [name = 'disk.qcow2'] = process.argv.slice(2)
const bytes = readFileSync(name)

// A codec ends in io-ts errors. Each is an issue, with its clause and its place.
const decoded = header.decode(bytes)
console.log(PathReporter.report(decoded))
if (decoded._tag === 'Left')
  for (const e of decoded.left.filter(isIssue))
    console.log(e.message, e.clause, e.phase, e.at, e.size, e.found, e.expected)
// What decodes may still break rules.
else console.log(header.judge(decoded.right).map(show))

// A plan ends in issues, or in the reason why its world did not answer.
const info = await runAsync(() => readInfo(bytes.length), { read: fromBlob(new Blob([bytes])) })()
if (info._tag === 'Left') console.log(showFailure(info.left))

// What opens files and URLs ends in an error of the command: a message in one line, with the file, the clause and the offset.
const opened = await openChain(name)()
if (opened._tag === 'Left') console.log(opened.left.message, opened.left.clause, opened.left.offset)
else opened.right.close()
