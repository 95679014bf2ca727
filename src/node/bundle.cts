/** The command's bundle, as a script that can start from compiled code. */
import fs = require('node:fs')
import path = require('node:path')
import vm = require('node:vm')

const filename = path.join(__dirname, '../bin/main.cjs')

/** The text of the bundle. */
const text = (): string => fs.readFileSync(filename, 'latin1')

/** The digest of the bundle: its last line, a comment. */
const digestOf = (bundle: string): string => bundle.slice(bundle.lastIndexOf('//') + 2).trim()

/** The bundle; compiled code of another Node is not taken, and what is missing is compiled. */
const script = (bundle: string, cachedData?: Buffer): vm.Script =>
  new vm.Script(bundle, { filename, ...(cachedData === undefined ? {} : { cachedData }) })

/** Runs it, which carries out the command line; returns what it exports. */
const run = (compiled: vm.Script): unknown => {
  const module = { exports: {} }
  const body: unknown = compiled.runInThisContext()
  if (typeof body === 'function') Reflect.apply(body, undefined, [require, filename, module])
  return module.exports
}

export = { text, digestOf, script, run }
