/** The parsers that kaitai-struct-compiler makes of spec/qcow2.ksy, in JavaScript and in Python. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compileFunction } from 'node:vm'
import KaitaiStructCompiler from 'kaitai-struct-compiler'
import KaitaiStream from 'kaitai-struct/KaitaiStream.js'
import { parse } from 'yaml'
import { toHex } from '../../../src/bytes/octets.js'
import type { Expected } from './expected.js'

const description: unknown = parse(
  readFileSync(fileURLToPath(new URL('../../../../spec/qcow2.ksy', import.meta.url)), 'utf8')
)

const compiled = async (language: 'javascript' | 'python', file: string): Promise<string> =>
  (await new KaitaiStructCompiler().compile(language, description, null, false))[file] ?? ''

const camelCase = (name: string): string => name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

/** What is at a place of a parsed image, as {@link Expected} has it. */
export type Lookup = (path: Expected['path']) => string

const textOf = (u: unknown): string => (u instanceof Uint8Array ? toHex(u) : String(u))

/** The parser in JavaScript: an image gives a function that looks values up. */
export const javascriptParser = async (): Promise<(image: Uint8Array) => Lookup> => {
  const module: { exports: unknown } = { exports: {} }
  const run = compileFunction(await compiled('javascript', 'Qcow2.js'), ['module', 'exports', 'require'])
  Reflect.apply(run, undefined, [module, module.exports, () => KaitaiStream])
  const { exports: parser } = module
  if (typeof parser !== 'function') throw new Error('the compiler made no class')
  return (image) => {
    const root: unknown = Reflect.construct(parser, [new KaitaiStream(image)])
    return (path) =>
      textOf(
        path.reduce<unknown>(
          (u, key) => Reflect.get(Object(u), typeof key === 'string' ? camelCase(key) : key) as unknown,
          root
        )
      )
  }
}

/** Compares what the parser finds with what is expected, and prints each difference. */
const comparison = `
import json, sys
from enum import Enum
from qcow2 import Qcow2

def text(value):
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool):
        return str(value).lower()
    return value.hex() if isinstance(value, bytes) else str(value)

for line in open("images"):
    image = json.loads(line)
    root = Qcow2.from_bytes(bytes.fromhex(image["bytes"]))
    for each in image["expected"]:
        value = root
        for key in each["path"]:
            value = getattr(value, key) if isinstance(key, str) else value[key]
        if text(value) != each["value"]:
            print(image["name"], each["path"], "found", text(value), "expected", each["value"])
`

/** The Python that has the runtime of the parsers, where one has it. */
export const python = ['python3', '/usr/bin/python3'].find(
  (program) => spawnSync(program, ['-c', 'import kaitaistruct']).status === 0
)

/** The differences between what the parser in Python finds and what is expected, a line each. */
export const pythonDifferences = async (
  images: Iterable<{ readonly name: string; readonly image: Uint8Array; readonly expected: readonly Expected[] }>
): Promise<string> => {
  const folder = mkdtempSync(join(tmpdir(), 'qcow2-ksy-'))
  const lines = Array.from(images, ({ name, image, expected }) =>
    JSON.stringify({ name, bytes: toHex(image), expected })
  )
  writeFileSync(join(folder, 'images'), lines.join('\n'))
  writeFileSync(join(folder, 'qcow2.py'), await compiled('python', 'qcow2.py'))
  const { stdout, stderr } = spawnSync(python ?? '', ['-c', comparison], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 2 ** 26
  })
  rmSync(folder, { recursive: true })
  return `${stdout}${stderr}`
}
