/** `qcow2 convert`: the guest disk as a raw file. */
import { renameSync, rmSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { fail, ok, refusalLine } from './command.js'
import { eachPiece, guestSize } from './guest.js'
import { type OpenOptions, withChain } from './open.js'
import { createSparse } from './sparse.js'

/** The command. The output appears under its name when it is whole; zeros are holes in it. */
export const convert = (name: string, out: string, options: OpenOptions): Promise<number> =>
  withChain(name, options, async (open) => {
    const partial = `${out}.${process.pid}.partial`
    try {
      const file = createSparse(partial, guestSize(open))
      const done = await eachPiece(open, 0, guestSize(open), ({ bytes, at }) => {
        if (bytes !== undefined) file.put(bytes, at)
      })
      file.close()
      if (E.isLeft(done)) return fail(refusalLine(name, done.left))
      renameSync(partial, out)
      return ok
    } finally {
      rmSync(partial, { force: true })
    }
  })
