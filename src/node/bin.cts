#!/usr/bin/env node
/** The command, from its bundle and the code that is kept of that. */
import fs = require('node:fs')
import bundle = require('./bundle.cjs')

bundle.run(bundle.script(fs.existsSync(bundle.kept) ? fs.readFileSync(bundle.kept) : undefined))
