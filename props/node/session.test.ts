/** Sessions: commands on a real file have the outcome that they have on the abstract disk, before the session ends and after. */
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { type Disk, step } from '../../spec/disk.js'
import { chainSize } from '../../src/image/guest/chain.js'
import { readGuest } from '../../src/image/guest/read.js'
import { because, get } from '../../src/node/command-error.js'
import { native } from '../../src/node/compression/native.js'
import { openForWriting, withImage } from '../../src/node/images/locked-image.js'
import type { Session } from '../../src/node/images/session.js'
import { arbitraryScript, commandOf, type Move } from '../arbitrary/script.js'
import { minimalShapes, type Shape, traitsOf } from '../arbitrary/shape.js'
import { inFolder, load, names, store } from '../differential/files.js'
import { judgedByUs } from '../differential/seen.js'
import { holdsInTime } from '../run/holds.js'
import { share, suite } from '../run/suite.js'
import { begin } from '../transition/model/recording.js'
import { messageOf, valueOf } from './outcome.js'

const test = suite('session')

const shapes: readonly Shape[] = [
  ...minimalShapes,
  { options: { size: 2 ** 20 }, backing: 300_000 },
  { options: { size: 2 ** 20, clusterBits: 17, compressionType: 'zstd' }, backing: 0 }
]

/** The disk after a command of a session, which refuses nothing but what the abstract disk or the space forbids. */
const advanced = (session: Session, move: Move, disk: Disk, mark: number): Disk => {
  const command = commandOf(move, disk, mark)
  const outcome = step(command, disk)
  const done = session.command(command)
  share('commands carried out', 0.3, E.isRight(done))
  if (E.isLeft(done)) return disk
  assert.is(outcome._tag, 'Done')
  return outcome._tag === 'Done' ? outcome.disk : disk
}

const readAll = (session: Session) => session.run(readGuest(session.chain, 0, chainSize(session.chain), native))

/** Moves carried out in sessions, each of which ends with a flush. */
const carriedOut = async (folder: string, shape: Shape, moves: readonly Move[]): Promise<void> => {
  const { machine, disk: blank } = begin(shape)
  store(folder, machine.files)
  let disk: Disk = { ...blank, traits: traitsOf(shape) }
  for (let at = 0; at < moves.length;) {
    const carried = withImage(`${folder}/${names.image}`, {}, function* (session) {
      for (let isLast = false; at < moves.length && !isLast; at++) {
        const move = moves[at]
        if (move === undefined) break
        disk = advanced(session, move, disk, at + 1)
        isLast = move.kind === 'Flush'
      }
      const content = yield* get(E.mapLeft(because('readGuest'))(readAll(session)))
      assert.ok(Buffer.from(content).equals(disk.content), 'the session reads another disk')
    })
    await valueOf(carried)
    judgedByUs(load(folder), disk, false)
  }
}

test('random commands have the same effect on a real file as on the abstract disk', async () => {
  await inFolder(async (folder) => {
    const scripts = fc.asyncProperty(fc.constantFrom(...shapes), arbitraryScript(8, 24), (shape, moves) =>
      carriedOut(folder, shape, moves)
    )
    await holdsInTime(scripts)
  })
})

test('an image that is not there is an error that names it', async () => {
  const opened = openForWriting('/does/not/exist.qcow2')
  assert.is(await messageOf(opened), "Could not open '/does/not/exist.qcow2': no such file or directory")
})

test.run()
