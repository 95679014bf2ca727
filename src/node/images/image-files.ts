/** The files of an image that is changed: plans read them with what waits to be written, and writes go to them in order. */
import * as E from 'fp-ts/lib/Either.js'
import type { HostWrite } from '../../bytes/host-write.js'
import { type Plan, type Read, runSync } from '../../bytes/plan.js'
import { type Repaired, repair, type RepairMode } from '../../transition/repair/repair.js'
import type { OpenOptions } from '../../transition/engine/open.js'
import { actOnEach, type Cause, type CommandError, onLeft } from '../command-error.js'
import type { DiskFile } from '../files/disk-file.js'
import type { World } from '../files/source.js'
import { UndoLog } from './undo-log.js'

/** Answers requests, about backing files say. */
export type Reader = (request: Read) => Uint8Array | CommandError

/** The answers of files that are not there. */
const noBytes: Reader = (request) => new Uint8Array(request.length)

/** What answers requests about the backing files. */
export type Below = Pick<World, 'seekData'> & { readonly read: Reader }

const done: E.Either<CommandError, void> = E.right(undefined)

/** The files of one image. */
export class ImageFiles {
  /**
   * @param data the external data file
   */
  constructor(
    private readonly image: DiskFile,
    private readonly data?: DiskFile,
    private readonly below: Below = { read: noBytes }
  ) {}

  /** Answers a plan's requests, with what waits to be written. */
  readonly read: Reader = (request) => {
    if (request.file.depth > 0) return this.below.read(request)
    if (request.file.part === 'image') return this.image.read(request)
    return this.data === undefined ? noBytes(request) : this.data.read(request)
  }

  /** Where bytes of the backing files are stored. */
  get seekData(): World['seekData'] {
    return this.below.seekData
  }

  /** Bytes of the image file, with what waits to be written. */
  get length(): number {
    return this.image.length()
  }

  /** Runs a plan on the image. */
  run<A>(plan: Plan<A>): E.Either<Cause, A> {
    return runSync(plan, { read: this.read, seekData: this.seekData })
  }

  /** Lets writes be read from now on. */
  see(writes: readonly HostWrite[]): E.Either<CommandError, void> {
    return actOnEach(writes, (w) => (w._tag === 'Flush' ? done : this.fileOf(w.file.part).see(w)))
  }

  /** Brings writes to the files, after which nothing waits any more. Where one fails, those before it are undone. */
  perform(writes: readonly HostWrite[]): E.Either<CommandError, void> {
    return E.map(() => this.settle())(this.attempt(writes, (w) => this.write(w)))
  }

  /** Brings writes to the files one by one, each to be read from then on. Where one fails, those before it are undone. */
  carryOut(writes: readonly HostWrite[]): E.Either<CommandError, void> {
    return this.attempt(writes, (w) => E.map(() => this.settle())(E.chain(() => this.write(w))(this.see([w]))))
  }

  /** Repairs the image; `before` is called when nothing is written yet. */
  repair(
    around: OpenOptions,
    mode: RepairMode,
    before: (repaired: Repaired) => void = () => undefined
  ): E.Either<Cause, Repaired> {
    return E.chain((repaired: Repaired): E.Either<Cause, Repaired> => {
      before(repaired)
      return E.map(() => repaired)(this.carryOut(repaired.writes))
    })(this.run(repair(around, this.length, mode)))
  }

  close(): void {
    this.image.close()
    this.data?.close()
  }

  private attempt(
    writes: readonly HostWrite[],
    act: (write: HostWrite) => E.Either<CommandError, void>
  ): E.Either<CommandError, void> {
    const log = new UndoLog(({ file }) => this.fileOf(file.part))
    return onLeft(() => log.undo(() => this.flush()))(actOnEach(writes, (w) => log.record(w, () => act(w))))
  }

  private write(w: HostWrite): E.Either<CommandError, void> {
    return w._tag === 'Flush' ? this.flush() : this.fileOf(w.file.part).perform(w)
  }

  private settle(): void {
    this.image.settle()
    this.data?.settle()
  }

  private flush(): E.Either<CommandError, void> {
    return E.chain(() => this.image.flush())(this.data === undefined ? done : this.data.flush())
  }

  private fileOf(part: 'image' | 'data'): DiskFile {
    return part === 'data' && this.data !== undefined ? this.data : this.image
  }
}
