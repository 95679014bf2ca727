/** `qcow2 info`: what an image is. */
import * as E from 'fp-ts/lib/Either.js'
import { type Facts, type FileFacts, infoJson, readFacts } from '../image/info.js'
import { failed, fail, ok, refusalLine, withSource } from './command.js'
import { pathFrom } from './follow.js'
import { humanInfo } from './info-text.js'
import { complain, print } from './output.js'
import { run } from './world.js'

/** Prints what is known of an image; the exit code is 1 when it must be refused. */
export const report = (facts: Facts, file: Omit<FileFacts, 'fullName'>, json: boolean): number => {
  const value = infoJson(facts, { ...file, fullName: (path) => pathFrom(file.filename, path) })
  print(json ? `${JSON.stringify(value, null, 4)}\n` : humanInfo(value))
  if (facts.refused === undefined) return ok
  complain(refusalLine(file.filename, [facts.refused]))
  return failed
}

/** The command. */
export const info = (name: string, json: boolean): Promise<number> =>
  withSource(name, async ({ world, length, actualSize }) => {
    const facts = await run(world, readFacts)
    if (E.isLeft(facts)) return fail(refusalLine(name, facts.left))
    const file = { filename: name, length, ...(actualSize === undefined ? {} : { actualSize }) }
    return report(facts.right, file, json)
  })
