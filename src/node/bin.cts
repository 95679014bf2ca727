#!/usr/bin/env node
/** The command from one file, with the code that Node made of it when it was built; code of another Node is not taken. */
import fs = require('node:fs')
import path = require('node:path')
import vm = require('node:vm')

const filename = path.join(__dirname, '../bin/main.cjs')
const code = `${filename}.cache`

const script = new vm.Script(fs.readFileSync(filename, 'latin1'), {
  filename,
  ...(fs.existsSync(code) ? { cachedData: fs.readFileSync(code) } : {}),
  importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER
})
const run: unknown = script.runInThisContext()
if (typeof run === 'function') Reflect.apply(run, undefined, [require, filename, { exports: {} }])
