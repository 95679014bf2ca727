/** `qcow2 dump`: an image as JSON. */
import * as E from 'fp-ts/lib/Either.js'
import { dump, type DumpData } from '../../image/dump/dump.js'
import { fail, ok, stop, writer } from '../files/output.js'
import { refusalLine, withSource } from '../images/usable.js'
import { run } from '../files/world.js'

/** The command. */
export const dumpCommand = (name: string, data: DumpData): Promise<number> =>
  withSource(name, async (file) => {
    const out = writer(stop)
    const done = await run(file.world, () => dump(file.length, data), out.put)
    out.end()
    return E.isLeft(done) ? fail(refusalLine(name, done.left)) : ok
  })
