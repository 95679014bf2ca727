/** `qcow2 dump`: an image as JSON. */
import { dump, type DumpData } from '../image/dump.js'
import { ok, runOn, withSource } from './command.js'
import { writer } from './output.js'

/** The command. */
export const dumpCommand = (name: string, data: DumpData): number =>
  withSource(name, (file) => {
    const out = writer()
    runOn(file, dump(file.length, data), out.put)
    out.end()
    return ok
  })
