/** `qcow2 dump`: an image as JSON. */
import { dump as dumpPlan } from '../../image/dump/dump.js'
import { get, using } from '../command-error.js'
import { openSource } from '../files/file.js'
import { readAccess } from '../files/lock.js'
import { textWriter } from '../files/output.js'
import { run } from '../files/source.js'
import { argument, choice, command, text } from './command.js'
import { forceShare, remote } from './options.js'

export const dump = command({
  args: { image: argument('<image>', 'the image', text) },
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
  run: ({ image }, { data, forceShare: isForced, remote: reading }) =>
    using(openSource(image, readAccess('qcow2', isForced), reading), async function* (source) {
      const { put, end } = textWriter()
      const printed = await run(source, () => dumpPlan(source.length, data), put)()
      yield* get(end())
      yield* get(printed)
    })
})
