/** Sessions: an image that commands change. */
import * as E from 'fp-ts/lib/Either.js'
import { flush, type HostWrite } from '../../bytes/host-write.js'
import type { Plan } from '../../bytes/plan.js'
import type { Chain } from '../../image/guest/chain.js'
import { activeDisk } from '../../image/guest/extents.js'
import { type AnyCommand, step } from '../../transition/command.js'
import type { Step } from '../../transition/engine/finish.js'
import { open, type OpenOptions } from '../../transition/engine/open.js'
import type { WritableImage } from '../../transition/engine/command-state.js'
import { Group, mayJoin } from '../../transition/group.js'
import { asGiven } from './as-given.js'
import type { NodeOptions } from './image-node.js'
import type { Cause, CommandError } from '../command-error.js'
import type { Below, ImageFiles, Reader } from './image-files.js'

/** What may be changed: an image in a session, or a raw file. */
export type Changes = Pick<Session, 'chain' | 'read' | 'seekData' | 'command' | 'end'>

/** Why commands have not been carried out, and which of them is refused, if one is. */
export interface Refused {
  readonly command?: AnyCommand
  readonly cause: Cause
}

/** The same write, of which everything is put back if it fails: a later command may take what an earlier one frees. */
const saved = (write: HostWrite): HostWrite => {
  if (write._tag !== 'Write') return write
  const { disposable: _, ...rest } = write
  return rest
}

/** Bytes that may wait to be written. */
const mostWaiting = 2 ** 24

/**
 * An image open for writing. Guest writes wait for each other, as many as may become durable together; everything else is
 * done at once. What the system refuses ends the session; the command is undone, and what waited with it.
 */
export class Session {
  private group = new Group()
  /** Why the session is over. */
  private over: CommandError | undefined

  private constructor(
    private readonly files: ImageFiles,
    private state: WritableImage,
    private readonly options: NodeOptions
  ) {}

  /** Does what opening an image for writing obliges to. @see OPEN-40 */
  static open(files: ImageFiles, around: OpenOptions, options: NodeOptions = {}): E.Either<Cause, Session> {
    return E.chain(({ writes, next }: Step): E.Either<Cause, Session> =>
      E.map(() => new Session(files, next, options))(files.carryOut(writes))
    )(files.run(open(around)))
  }

  /** What is known of the image. */
  get opened(): WritableImage {
    return this.state
  }

  /** Answers a plan's requests, with what waits to be written. */
  readonly read: Reader = (request) => this.files.read(request)

  /** Where bytes of the backing files are stored. */
  get seekData(): Below['seekData'] {
    return this.files.seekData
  }

  /** Runs a plan on the image. */
  run<A>(plan: Plan<A>): E.Either<Cause, A> {
    return this.files.run(plan)
  }

  /** The disk over the layers below it. */
  get chain(): Chain {
    const { metadata, g, backing, decryption } = this.state
    return [{ _tag: 'Image', disk: { ...activeDisk(metadata, g), decryption } }, ...backing]
  }

  /** Carries out a command as the options of the image have it, or says why it is refused; then nothing has changed. */
  command(given: AnyCommand): E.Either<Cause, void> {
    const command = asGiven(this.options, given)
    if (command === undefined) return E.right(undefined)
    if (this.over !== undefined) return E.left(this.over)
    return E.chain((done: Step): E.Either<Cause, void> => (mayJoin(command) ? this.wait(done) : this.take(done)))(
      this.step(command)
    )
  }

  /** Carries out commands one after the other, or says which is refused and why; then nothing has changed, and the session is over. */
  all(commands: readonly AnyCommand[]): E.Either<Refused, void> {
    const settled = this.settle()
    if (E.isLeft(settled)) return E.left({ cause: settled.left })
    const writes: HostWrite[] = []
    for (const command of commands) {
      const done = E.chain((next: Step): E.Either<Cause, Step> => E.map(() => next)(this.see(next)))(this.step(command))
      if (E.isLeft(done)) return E.left({ command, cause: done.left })
      writes.push(...(writes.length > 0 ? [flush] : []), ...done.right.writes)
    }
    return E.mapLeft((cause: CommandError): Refused => ({ cause }))(this.orOver(this.files.perform(writes.map(saved))))
  }

  /** Brings everything to the files and makes it durable. */
  end(): E.Either<CommandError, void> {
    return E.chain(() => this.orOver(this.files.perform([flush])))(this.settle())
  }

  /** What a command does to the files, or why it is refused. */
  private step(command: AnyCommand): E.Either<Cause, Step> {
    return this.run(step(this.state, command, this.files.length))
  }

  /** Ends the session where the system has refused something. */
  private orOver(done: E.Either<CommandError, void>): E.Either<CommandError, void> {
    if (E.isLeft(done)) this.over = done.left
    return done
  }

  /** Carries out a step at once, after those that wait. */
  private take({ writes, next }: Step): E.Either<CommandError, void> {
    const settled = this.settle()
    if (E.isLeft(settled)) return settled
    this.state = next
    return this.orOver(this.files.carryOut(writes))
  }

  /** Lets a step wait for others, after those that it cannot join. */
  private wait(done: Step): E.Either<CommandError, void> {
    if (!this.group.join(done)) {
      const settled = this.settle()
      if (E.isLeft(settled)) return settled
      this.group.join(done)
    }
    const seen = this.see(done)
    return E.isLeft(seen) || this.group.size <= mostWaiting ? seen : this.settle()
  }

  /** Lets a step be read from now on. */
  private see({ writes, next }: Step): E.Either<CommandError, void> {
    this.state = next
    return this.files.see(writes)
  }

  /** Brings everything that waits to the files. */
  private settle(): E.Either<CommandError, void> {
    if (this.over !== undefined) return E.left(this.over)
    if (this.group.size === 0) return E.right(undefined)
    const writes = this.group.writes()
    this.group = new Group()
    return this.orOver(this.files.perform(writes))
  }
}
