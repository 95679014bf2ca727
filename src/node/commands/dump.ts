/** `qcow2 dump`: an image as JSON. */
import { dump as dumpPlan } from '../../image/dump/dump.js'
import { get, using, wait } from '../command-error.js'
import { openPlace } from '../files/file.js'
import { readAccess } from '../files/lock.js'
import { textWriter } from '../files/output.js'
import { run } from '../files/source.js'
import { otherKind } from '../images/not-qcow2.js'
import { choice, command } from './command.js'
import { forceShare, image, remote } from './options.js'

export const dump = command({
  args: { image: image('<image>', 'the image') },
  options: {
    forceShare,
    remote,
    data: choice(
      '--data <which>',
      'bytes that no structure covers: none (default), or inline, which assemble needs',
      ['none', 'inline'],
      'none'
    )
  },
  run: ({ image: named }, { data, forceShare: isForced, remote: reading }, report) =>
    using(openPlace(named.file, readAccess('qcow2', isForced || named.forceShare), reading), async function* (source) {
      const warning = yield* wait(otherKind(source))
      if (warning !== undefined) report(warning)
      const { put, end } = textWriter()
      const printed = await run(source, () => dumpPlan(source.length, data), put)()
      yield* get(end())
      yield* get(printed)
    })
})
