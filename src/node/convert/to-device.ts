/** The way into a new image on a block device: it is created there, and then written into. */
import * as E from 'fp-ts/lib/Either.js'
import { create } from '../../transition/create/create.js'
import { get, inContext, task, wait } from '../command-error.js'
import { createOnDevice } from '../images/create-on-device.js'
import { inQemuWords } from '../text/create-options.js'
import type { Way } from './conversion.js'
import { toExisting } from './to-existing.js'
import { creationOf } from './to-image.js'

/** Converts into a new image on a device. */
export const toDevice: Way = task(async function* (inputs, output, o) {
  const { name } = output.file
  const { options } = yield* get(E.mapLeft(inContext(name))(await creationOf(inputs, name, o)()))
  const writes = yield* get(E.mapLeft(inQemuWords('Could not create the image', name))(create(options)))
  yield* wait(createOnDevice(name, options, writes))
  yield* wait(toExisting(inputs, output, { ...o, targetIsZero: options.backing === undefined }))
})
