/** Sessions: an image that commands change, and its files. */
import * as E from 'fp-ts/lib/Either.js'
import { flush, type HostWrite } from '../../bytes/host-write.js'
import type { Issue } from '../../bytes/issue.js'
import { type Plan, type Read, runSync } from '../../bytes/plan.js'
import type { Chain } from '../../image/guest/chain.js'
import { activeDisk } from '../../image/guest/extents.js'
import type { AnyCommand } from '../../transition/command.js'
import { step } from '../../transition/command.js'
import type { Step } from '../../transition/engine/finish.js'
import { Group, mayJoin } from '../../transition/group.js'
import { type Repaired, repair, type RepairMode } from '../../transition/repair/repair.js'
import { open, type Surroundings } from '../../transition/engine/open.js'
import type { Opened } from '../../transition/engine/work.js'
import type { DiskFile } from '../files/disk-file.js'

/** The files a session changes, and how it reads those below them. */
export interface SessionFiles {
  readonly image: DiskFile
  readonly data?: DiskFile
  /** Answers requests about backing files. */
  readonly below: (request: Read) => Uint8Array
}

/** A command that is refused. */
export interface Refused {
  readonly command: AnyCommand
  readonly issues: readonly Issue[]
}

/** Bytes that may wait to be written. */
const mostWaiting = 2 ** 24

/**
 * An image open for writing. Guest writes wait for each other, as many as may become durable together; everything else is
 * done at once. What the system refuses ends the session: the image is then as after a crash, with leaks at most.
 */
export class Session {
  private group = new Group()
  private state: Opened | undefined

  constructor(private readonly files: SessionFiles) {}

  /** What is known of the image; only once it has been opened. */
  get opened(): Opened {
    if (this.state === undefined) throw new Error('the image is not open for writing')
    return this.state
  }

  /** Answers a plan's requests, with what waits to be written. */
  readonly read = (request: Read): Uint8Array => {
    const { image, data, below } = this.files
    if (request.file.depth > 0) return below(request)
    if (request.file.part === 'image') return image.read(request)
    return data === undefined ? new Uint8Array(request.length) : data.read(request)
  }

  /** Runs a plan on the image. */
  run<A>(plan: Plan<A>): E.Either<readonly Issue[], A> {
    return runSync(plan, { read: this.read, emit: () => undefined })
  }

  /** The disk over the layers below it. */
  get chain(): Chain {
    const { metadata, g, backing } = this.opened
    return [{ _tag: 'Image', disk: activeDisk(metadata, g) }, ...backing]
  }

  /** Repairs the image, which need not be open. */
  repair(around: Surroundings, mode: RepairMode): E.Either<readonly Issue[], Repaired> {
    return E.map((done: Repaired) => {
      this.take(done)
      return done
    })(this.run(repair(around, this.files.image.length(), mode)))
  }

  /** Does what opening an image for writing obliges to. */
  open(around: Surroundings): E.Either<readonly Issue[], void> {
    return E.map((done: Step) => {
      this.carryOut(done.writes)
      this.state = done.next
    })(this.run(open(around)))
  }

  /** Carries out a command, or says why it is refused; then nothing has changed. */
  command(command: AnyCommand): E.Either<readonly Issue[], void> {
    return E.map((done: Step) => {
      if (mayJoin(command)) this.wait(done)
      else this.take(done)
    })(this.run(step(this.opened, command)))
  }

  /** Carries out commands one behind the other, or tells which is refused and why; then nothing has changed, and the session is over. */
  all(commands: readonly AnyCommand[]): E.Either<Refused, void> {
    this.settle()
    const writes: HostWrite[] = []
    for (const command of commands) {
      const done = this.run(step(this.opened, command))
      if (E.isLeft(done)) return E.left({ command, issues: done.left })
      this.see(done.right.writes)
      writes.push(...(writes.length > 0 ? [flush] : []), ...done.right.writes)
      this.state = done.right.next
    }
    this.perform(writes)
    return E.right(undefined)
  }

  /** Carries out a step that was computed from this image as it is. */
  take(done: Step): void {
    this.settle()
    this.carryOut(done.writes)
    this.state = done.next
  }

  /** Brings everything that waits to the files. */
  settle(): void {
    if (this.group.size === 0) return
    this.perform(this.group.writes())
    this.group = new Group()
  }

  /** Brings everything to the files and makes it durable. */
  end(): void {
    this.settle()
    this.perform([flush])
  }

  close(): void {
    this.files.image.close()
    this.files.data?.close()
  }

  private wait(done: Step): void {
    if (!this.group.join(done)) {
      this.settle()
      this.group.join(done)
    }
    this.see(done.writes)
    this.state = done.next
    if (this.group.size > mostWaiting) this.settle()
  }

  /** Brings writes to the files one by one, each to be read from then on. */
  private carryOut(writes: readonly HostWrite[]): void {
    for (const w of writes) {
      this.see([w])
      this.perform([w])
    }
  }

  private fileOf(part: 'image' | 'data'): DiskFile {
    return part === 'data' && this.files.data !== undefined ? this.files.data : this.files.image
  }

  private see(writes: readonly HostWrite[]): void {
    for (const w of writes) if (w._tag !== 'Flush') this.fileOf(w.file.part).see(w)
  }

  private perform(writes: readonly HostWrite[]): void {
    const { image, data } = this.files
    for (const w of writes) {
      if (w._tag === 'Flush') {
        data?.flush()
        image.flush()
      } else this.fileOf(w.file.part).perform(w)
    }
    image.settle()
    data?.settle()
  }
}
