/** Changes a header extension by the codecs alone: `node header-extension.js IMAGE FORMAT` sets the format of the backing file. */
import { readFileSync, writeFileSync } from 'node:fs'
import { PathReporter } from 'io-ts/lib/PathReporter.js'
import { extensionArea, extensionRange, geometry, header, show } from 'qcow2-spec/format'

const [path = 'disk.qcow2', format = 'raw'] = process.argv.slice(2)
const image = readFileSync(path)
const decoded = header.decode(image)
if (decoded._tag === 'Left') throw new Error(PathReporter.report(decoded).join('\n'))
const g = geometry(decoded.right)
if (g === undefined) throw new Error(header.judge(decoded.right).map(show).join('\n'))
const { from, to } = extensionRange(decoded.right, g)
const area = extensionArea.decode(image.subarray(from, to))
if (area._tag === 'Left') throw new Error(PathReporter.report(area).join('\n'))

const data = new TextEncoder().encode(format)
const extensions = area.right.extensions.map((e) =>
  e._tag === 'BackingFormat' ? { ...e, data, padding: new Uint8Array(-data.length & 7) } : e
)
// The area keeps its size: the bytes after its end marker make room.
const spare = to - from - extensionArea.sizeOf({ ...area.right, extensions, rest: new Uint8Array(0) })
if (spare < 0) throw new Error('the first cluster has no room for it')
const rest = new Uint8Array(spare)
rest.set(area.right.rest.subarray(0, spare))
image.set(extensionArea.encode({ ...area.right, extensions, rest }), from)
writeFileSync(path, image)
