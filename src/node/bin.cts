#!/usr/bin/env node
/** The command, from its bundle and the compiled code of an earlier start. */
import os = require('node:os')
import bundle = require('./bundle.cjs')
import cache = require('./code-cache.cjs')

const { platform, env, argv } = process
const text = bundle.text()
const key = cache.keyOf(bundle.digestOf(text))
const file = cache.fileFor({ platform, env, home: os.homedir }, argv[2])
const kept = file === undefined ? undefined : cache.read(file, key)
const script = bundle.script(text, kept)
if (file !== undefined && (kept === undefined || script.cachedDataRejected === true))
  process.once('exit', (code) => {
    // The code of all functions that this command has run.
    if (code === 0) cache.write(file, key, script.createCachedData())
  })
bundle.run(script)
