/** The command's bundle, and the code that Node made of it when it was built. */
import fs = require('node:fs')
import path = require('node:path')
import vm = require('node:vm')

const filename = path.join(__dirname, '../bin/main.cjs')

/** Where that code is kept. */
const kept = `${filename}.cache`

/** The bundle; code of another Node is not taken, and what is missing is made anew. */
const script = (cachedData?: Buffer): vm.Script =>
  new vm.Script(fs.readFileSync(filename, 'latin1'), {
    filename,
    ...(cachedData === undefined ? {} : { cachedData })
  })

/** Runs it, which carries out the command line; returns what it exports. */
const run = (bundle: vm.Script): unknown => {
  const module = { exports: {} }
  const body: unknown = bundle.runInThisContext()
  if (typeof body === 'function') Reflect.apply(body, undefined, [require, filename, module])
  return module.exports
}

export = { kept, script, run }
