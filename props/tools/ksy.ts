/** `npm run ksy [-- FILE]`: writes the description of qcow2 for Kaitai Struct, spec/qcow2.ksy or another file. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ksyDocument } from './ksy/document.js'

const [file = fileURLToPath(new URL('../../../spec/qcow2.ksy', import.meta.url))] = process.argv.slice(2)
writeFileSync(file, ksyDocument())
