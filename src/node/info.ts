/** `qcow2 info`: what an image is. */
import { dirname, isAbsolute } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { type Facts, type FileFacts, infoJson, readFacts } from '../image/info.js'
import { failed, fail, ok, refusalLine, runOn, withSource } from './command.js'
import { humanInfo } from './info-text.js'
import { complain, print } from './output.js'

/** A name that stands for no file below a folder: it has a protocol, or is absolute. @see BACK-04 */
const standsAlone = (name: string): boolean => isAbsolute(name) || /^[^/]*:/.test(name)

/** A backing file name relative to the folder of the image that holds it. */
const fullNameFrom =
  (image: string) =>
  (name: string): string =>
    standsAlone(name) || !image.includes('/') ? name : `${dirname(image).replace(/\/$/, '')}/${name}`

/** Prints what is known of an image; the exit code is 1 when it must be refused. */
export const report = (facts: Facts, file: Pick<FileFacts, 'filename' | 'actualSize'>, json: boolean): number => {
  const value = infoJson(facts, { ...file, fullName: fullNameFrom(file.filename) })
  print(json ? `${JSON.stringify(value, null, 4)}\n` : humanInfo(value))
  if (facts.refused === undefined) return ok
  complain(refusalLine(file.filename, [facts.refused]))
  return failed
}

/** The command. */
export const info = (name: string, json: boolean): number =>
  withSource(name, (file) => {
    const facts = runOn(file, readFacts())
    return E.isLeft(facts)
      ? fail(refusalLine(name, facts.left))
      : report(facts.right, { filename: name, actualSize: file.actualSize }, json)
  })
