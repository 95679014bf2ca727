/** The session of a worker: one image, its edits, what is known of it, and the answers to the page. */
import * as E from 'fp-ts/lib/Either.js'
import { type Plan, readAt } from '../../bytes/plan.js'
import { type Failure, showFailure } from '../../bytes/run-async.js'
import { portableCipher } from '../../encryption/portable.js'
import type { Decryption, Extent, GuestDisk } from '../../image/guest/extents.js'
import { unlock } from '../../image/guest/unlock.js'
import { contentsAt, placeOfGuest } from '../contents.js'
import type { Edit } from '../edits.js'
import { collectExtents, type DiskChoice, diskOf, guestMap } from '../guest-map.js'
import { type Counted, hostMap } from '../host-map.js'
import { buildIndex, ImageIndex } from '../image-index.js'
import { sizeText } from '../numbers.js'
import { childrenOf } from '../outline.js'
import { select } from '../selection.js'
import { spansOf } from '../spans.js'
import { summarize } from '../summary.js'
import { judge } from '../verdict.js'
import { copyOf, dumpOf } from './download.js'
import type { Reply, Request } from './protocol.js'
import { type Job, newJob, run } from './runner.js'
import type { OpenImage } from './sources.js'

/** The extents of a disk, as far as they can be followed. */
interface Mapped {
  readonly disk: GuestDisk
  readonly extents: readonly Extent[]
  readonly stopped?: string
}

type RequestOf<Tag extends Request['_tag']> = Extract<Request, { readonly _tag: Tag }>

/** One state of an image: as it was opened, or with some edits. */
export class Session {
  private readonly index: ImageIndex
  private readonly job: Job = newJob()
  private readonly mapped = new Map<DiskChoice, Promise<Mapped | undefined>>()
  private counted: Counted | undefined
  private isClosed = false

  constructor(
    private readonly image: OpenImage,
    private readonly edits: readonly Edit[],
    private readonly send: (reply: Reply) => void,
    /** What decrypts the guest data, once a password was given. */
    public decryption?: Decryption
  ) {
    this.index = new ImageIndex(image.length)
  }

  /** Stops what is read in the background. */
  cancel(): void {
    this.job.isCancelled = true
  }

  /** Answers nothing more. */
  close(): void {
    this.cancel()
    this.isClosed = true
  }

  private post(reply: Reply): void {
    if (!this.isClosed) this.send(reply)
  }

  private run<A, W>(plan: () => Plan<A, W>): Promise<E.Either<Failure, A>> {
    return run(this.image, this.edits, plan)
  }

  /** Posts the summary of the image, then reads all of its structures, then checks it. */
  async start(): Promise<void> {
    const { name, length } = this.image
    const summary = await this.run(() => summarize(name, length))
    if (E.isLeft(summary)) {
      this.post({ _tag: 'Failed', reason: showFailure(summary.left) })
      return
    }
    this.post({ _tag: 'Opened', summary: summary.right, edits: this.edits.length })
    await this.inBackground('index', () => buildIndex(this.index))
    this.post({ _tag: 'Indexed', structures: this.index.places.length, dropped: this.index.data.dropped })
    const judged = await this.inBackground('check', () => judge(length))
    if (E.isLeft(judged)) {
      const text = this.job.isCancelled ? 'cancelled' : showFailure(judged.left)
      this.post({ _tag: 'Unchecked', text })
      return
    }
    this.counted = judged.right.counted
    this.post({ _tag: 'Checked', verdict: judged.right.verdict })
  }

  private inBackground<A, W>(task: 'index' | 'check', plan: () => Plan<A, W>): Promise<E.Either<Failure, A>> {
    let last = performance.now()
    this.job.read = 0
    return run(this.image, this.edits, plan, this.job, () => {
      if (performance.now() - last < 100) return
      last = performance.now()
      this.post({ _tag: 'Progress', task, text: sizeText(this.job.read) })
    })
  }

  /** Answers a request about this state of the image. */
  async answer(request: Exclude<Request, { readonly _tag: 'Open' | 'Edits' | 'Cancel' }>): Promise<void> {
    switch (request._tag) {
      case 'Children':
        await this.children(request)
        break
      case 'Window':
        await this.window(request)
        break
      case 'Select':
        await this.select(request)
        break
      case 'Contents':
        await this.contents(request)
        break
      case 'Unlock':
        await this.unlock(request)
        break
      case 'HostMap':
        this.hostMap(request)
        break
      case 'GuestMap':
        await this.guestMap(request)
        break
      case 'GuestPlace':
        await this.guestPlace(request)
        break
      case 'Download':
        await this.download(request)
        break
    }
  }

  private async children({ id, table, from }: RequestOf<'Children'>): Promise<void> {
    const g = this.index.geometry
    if (g === undefined) return
    const page = await this.run(() => childrenOf(id, table, g, this.image.length, from))
    const { nodes, next } = E.isRight(page) ? page.right : { nodes: [], next: undefined }
    this.post({ _tag: 'Children', id, from, nodes, next })
  }

  private async window({ at, length }: RequestOf<'Window'>): Promise<void> {
    const there = Math.max(0, Math.min(length, this.image.length - at))
    const index = this.index
    const bytes = await this.run(() => readAt(at, there))
    if (E.isLeft(bytes)) {
      this.post({ _tag: 'Failed', reason: showFailure(bytes.left) })
      return
    }
    const spans = await this.run(() => spansOf(index, at, at + there))
    this.post({ _tag: 'Window', at, bytes: bytes.right.slice(), spans: E.isRight(spans) ? spans.right : [] })
  }

  private async select({ at }: RequestOf<'Select'>): Promise<void> {
    const selection = await this.run(() => select(this.index, at, this.counted?.findings ?? []))
    if (E.isRight(selection)) this.post({ _tag: 'Selected', selection: selection.right })
    else this.post({ _tag: 'Failed', reason: showFailure(selection.left) })
  }

  private async contents({ at }: RequestOf<'Contents'>): Promise<void> {
    const contents = await this.run(() => contentsAt(this.index, at, this.decryption))
    if (E.isRight(contents)) this.post({ _tag: 'Contents', at, contents: contents.right })
    else
      this.post({
        _tag: 'Contents',
        at,
        contents: { at, guest: 0, size: 0, bytes: new Uint8Array(0), failed: showFailure(contents.left) }
      })
  }

  private async unlock({ password }: RequestOf<'Unlock'>): Promise<void> {
    const { metadata: m } = this.index
    if (m === undefined) return
    const bytes = new TextEncoder().encode(password)
    const found = await this.run(() => unlock(m, bytes, portableCipher))
    bytes.fill(0)
    if (E.isRight(found)) this.decryption = found.right
    this.post({ _tag: 'Unlocked', failed: E.isLeft(found) ? showFailure(found.left) : undefined })
  }

  private hostMap({ of, range }: RequestOf<'HostMap'>): void {
    const g = this.index.geometry
    if (g === undefined) return
    this.post({
      _tag: 'HostMap',
      of,
      map: hostMap(this.index, g, this.counted, range.from, range.to, range.cells)
    })
  }

  /** The extents of a disk, which are read once. */
  private extentsOf(choice: DiskChoice): Promise<Mapped | undefined> {
    const known = this.mapped.get(choice)
    if (known !== undefined) return known
    const reading = this.readExtents(choice)
    this.mapped.set(choice, reading)
    return reading
  }

  private async readExtents(choice: DiskChoice): Promise<Mapped | undefined> {
    const { metadata: m, geometry: g } = this.index
    if (m === undefined || g === undefined) return undefined
    const disk = await this.run(() => diskOf(m, g, choice))
    if (E.isLeft(disk)) return undefined
    const extents: Extent[] = []
    const done = await this.run(() => collectExtents(disk.right, extents))
    return { disk: disk.right, extents, ...(E.isLeft(done) ? { stopped: showFailure(done.left) } : {}) }
  }

  private async guestMap({ range, disk, other }: RequestOf<'GuestMap'>): Promise<void> {
    const own = await this.extentsOf(disk)
    const against = other === undefined ? undefined : await this.extentsOf(other)
    if (own === undefined) return
    const map = guestMap(own.disk, own.extents, against?.extents, range.from, range.to, range.cells)
    this.post({ _tag: 'GuestMap', map, ...(own.stopped === undefined ? {} : { stopped: own.stopped }) })
  }

  private async guestPlace({ disk, guest }: RequestOf<'GuestPlace'>): Promise<void> {
    const { metadata: m, geometry: g } = this.index
    if (m === undefined || g === undefined) return
    const place = await this.run(function* () {
      return yield* placeOfGuest(yield* diskOf(m, g, disk), guest)
    })
    if (E.isRight(place)) this.post({ _tag: 'GuestPlace', guest, at: place.right.at, how: place.right.how })
    else this.post({ _tag: 'GuestPlace', guest, at: undefined, how: showFailure(place.left) })
  }

  private async download({ what }: RequestOf<'Download'>): Promise<void> {
    const made = await (what === 'image' ? copyOf : dumpOf)(this.image, this.edits)
    if (E.isRight(made)) this.post({ _tag: 'Download', ...made.right })
    else this.post({ _tag: 'Failed', reason: showFailure(made.left) })
  }
}
