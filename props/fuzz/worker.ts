/** The process that executes: it runs in the copy of the program that counts its edges, and prints JSON lines. */
import { readFileSync } from 'node:fs'
import { argumentsOf } from './arguments.js'
import { campaign, targetsOf } from './campaign.js'
import { execute } from './execution.js'
import { findsIn, print } from './summary.js'

const { replay, target, draw, corpus = '', ...asked } = argumentsOf(process.argv.slice(2))

const found = (): boolean => {
  if (replay === undefined || target === undefined) {
    const summary = campaign({ ...asked, corpus, targets: targetsOf(target) })
    print(summary)
    return findsIn(summary) > 0
  }
  const find = execute({ target, draw, image: new Uint8Array(readFileSync(replay)) })
  print({ find: find ?? null, target, draw })
  return find !== undefined
}

process.exitCode = found() ? 1 : 0
