/** Carrying out lines of `qcow2 io` on an open image, and saying what came of them as qemu-io does. */
import { readFileSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import type { Issue } from '../../bytes/issue.js'
import { type Plan, runSync } from '../../bytes/plan.js'
import { type Failure, showFailure } from '../../bytes/run-async.js'
import { clusterSize, grainSize } from '../../format/geometry.js'
import { type Chain, chainSize, type Located, locations } from '../../image/guest/chain.js'
import { readFacts, specificJson } from '../../image/info.js'
import { readGuest } from '../../image/guest/read.js'
import { activeVmState, vmStateOffset } from '../../image/guest/vm-state.js'
import type { AnyCommand } from '../../transition/command.js'
import type { Changes } from '../images/changes.js'
import { native } from '../compression/decompress.js'
import { reason } from '../files/file.js'
import { specificLines } from '../text/info-text.js'
import type { FileLine, IoLine, Transfer } from './io-line.js'
import { amount, dumped, transferred } from './io-report.js'

/** Where a line is carried out. */
export interface Target {
  readonly chain: () => Chain
  /** Runs a plan that reads. */
  readonly run: <A, W>(plan: () => Plan<A, W>, tell?: (what: W) => void) => E.Either<Failure, A>
  /** What may be changed; nothing where the image is open for reading only. */
  readonly session: Changes | undefined
  /** Prints on standard output. */
  readonly print: (text: string) => void
  /** One line to standard error. */
  readonly complain: (text: string) => void
}

/** What the system calls a refusal. An issue that is no fault of the line is told beside it. */
const systemError = (issues: readonly Issue[], complain: (text: string) => void): string => {
  const [first] = issues
  if (first?.clause === 'DATA-10' || first?.clause === 'LUKS-08') return 'Operation not supported'
  if (first?.clause === 'CW-01') return first.structure === 'image' ? 'Invalid argument' : 'Input/output error'
  if (first?.clause !== 'RD-01') complain(showFailure(issues))
  return 'Input/output error'
}

const readOnly = 'Block node is read-only'

/** Bytes that a file repeats. */
const repeated = (name: string, length: number): E.Either<string, Uint8Array> =>
  E.tryCatch(
    () => {
      const bytes = readFileSync(name)
      if (bytes.length === 0) throw new Error('file is empty')
      return new Uint8Array(Buffer.alloc(length, bytes))
    },
    (error) => `${name}: ${reason(error)}`
  )

type Guest = Extract<IoLine, Transfer>

/** Carries lines out, one after the other. */
export class Runner {
  constructor(private readonly target: Target) {}

  /** Whether the line did what it says. What the system refuses to write is thrown. */
  run(line: Exclude<IoLine, FileLine>): boolean {
    const { target } = this
    switch (line._tag) {
      case 'Read':
        return this.read(line)
      case 'Write':
      case 'WriteZeroes':
      case 'Discard':
        return this.change(line)
      case 'Flush':
        target.session?.end()
        return true
      case 'Length':
        target.print(`${amount(chainSize(target.chain()))}\n`)
        return true
      case 'Alloc':
        return this.alloc(line.at, line.length)
      case 'Map':
        return this.map()
      case 'Truncate':
        return this.truncate(line)
      case 'Info':
        return this.info()
      case 'Nothing':
        return true
    }
  }

  private failed(line: Transfer, why: string): boolean {
    this.target.print(`${line.name} failed: ${why}\n`)
    return line.asynchronous
  }

  private report(what: string, line: Transfer, began: number): void {
    if (!line.quiet) this.target.print(transferred(what, line, (performance.now() - began) / 1000))
  }

  private outside({ at, length }: Transfer): boolean {
    return at + length > chainSize(this.target.chain())
  }

  private read(line: Extract<IoLine, { readonly _tag: 'Read' }>): boolean {
    const { target } = this
    const chain = line.vmState ? this.vmState() : target.chain()
    if (chain === undefined) return this.failed(line, 'Operation not supported')
    if (!line.vmState && this.outside(line)) return this.failed(line, 'Input/output error')
    const began = performance.now()
    const read = target.run(() => readPart(chain, line.at, line.length))
    if (E.isLeft(read)) {
      target.complain(showFailure(read.left))
      return this.failed(line, 'Input/output error')
    }
    const { expected } = line
    const same =
      expected === undefined || isAll(read.right.subarray(expected.at, expected.at + expected.length), expected.byte)
    if (expected !== undefined && !same)
      target.print(`Pattern verification failed at offset ${line.at + expected.at}, ${expected.length} bytes\n`)
    if (line.dump && !line.quiet) target.print(dumped(line.at, read.right))
    this.report('read', line, began)
    return same || line.asynchronous
  }

  private change(line: Exclude<Guest, { readonly _tag: 'Read' }>): boolean {
    const { session } = this.target
    if (session === undefined) {
      this.target.complain(readOnly)
      return false
    }
    if (!line.vmState && this.outside(line)) return this.failed(line, 'Input/output error')
    if (line._tag === 'WriteZeroes' && line.fast && !this.isCheap(line))
      return this.failed(line, 'Operation not supported')
    const began = performance.now()
    const command = this.command(line)
    if (E.isLeft(command)) {
      this.target.complain(command.left)
      return false
    }
    const done = session.command(command.right)
    if (E.isLeft(done)) return this.failed(line, systemError(done.left, this.target.complain))
    if (line._tag !== 'Discard' && line.flush) session.end()
    this.report(line._tag === 'Discard' ? 'discard' : 'wrote', line, began)
    return true
  }

  private command(line: Exclude<Guest, { readonly _tag: 'Read' }>): E.Either<string, AnyCommand> {
    const { at, length } = line
    if (line._tag === 'Discard') return E.right({ _tag: 'Discard', at, length })
    if (line._tag === 'WriteZeroes') return E.right({ _tag: 'WriteZeroes', at, length, unmap: line.unmap })
    const bytes =
      typeof line.pattern === 'string'
        ? repeated(line.pattern, length)
        : E.right(new Uint8Array(length).fill(line.pattern))
    return E.map((b: Uint8Array): AnyCommand =>
      line.vmState
        ? { _tag: 'WriteVmState', position: at, bytes: b }
        : { _tag: line.compressed ? 'WriteCompressed' : 'Write', at, bytes: b }
    )(bytes)
  }

  /** Whether zeros there need no data: the version can say so, and what is only touched in part has none either. */
  private isCheap({ at, length, unmap }: Extract<IoLine, { readonly _tag: 'WriteZeroes' }>): boolean {
    const chain = this.target.chain()
    const size = chainSize(chain)
    const [top] = chain
    if (top._tag === 'Raw' || (top.disk.g.version === 2 && !(unmap && chain.length === 1))) return false
    const unit = grainSize(top.disk.g)
    const edges = [at, at + length].filter((edge) => edge % unit !== 0 && edge !== size)
    return edges.every((edge) => {
      const from = edge - (edge % unit)
      return this.extents(from, Math.min(size, from + unit)).every((e) => e.kind === 'zero' || e.kind === 'absent')
    })
  }

  private extents(from: number, to: number, chain = this.target.chain()): readonly Located[] {
    const found: Located[] = []
    const done = this.target.run(
      () => locations(chain, from, to),
      (e) => found.push(e)
    )
    if (E.isLeft(done)) throw new Error(showFailure(done.left))
    return found
  }

  /** Ranges of the image itself, and whether it says anything about them. */
  private ranges(
    from: number,
    to: number
  ): readonly { readonly at: number; readonly end: number; readonly own: boolean }[] {
    const [top] = this.target.chain()
    const out: { readonly at: number; readonly end: number; readonly own: boolean }[] = []
    for (const e of this.extents(from, to, [top])) {
      const [at, end] = [Math.max(from, e.start), Math.min(to, e.start + e.length)]
      const own = e.kind !== 'absent'
      const last = out.at(-1)
      if (last?.own === own) out[out.length - 1] = { ...last, end }
      else out.push({ at, end, own })
    }
    return out
  }

  private alloc(at: number, length: number): boolean {
    const size = chainSize(this.target.chain())
    const end = Math.max(at, Math.min(size, at + length))
    const own = at < end ? this.ranges(at, end).reduce((n, r) => n + (r.own ? r.end - r.at : 0), 0) : 0
    this.target.print(`${own}/${end - at} bytes allocated at offset ${amount(at)}\n`)
    return true
  }

  private map(): boolean {
    for (const { at, end, own } of this.ranges(0, chainSize(this.target.chain()))) {
      const n = end - at
      const word = own ? '    allocated' : 'not allocated'
      this.target.print(
        `${amount(n)} (0x${n.toString(16)}) bytes ${word} at offset ${amount(at)} (0x${at.toString(16)})\n`
      )
    }
    return true
  }

  private truncate({ size, preallocation }: Extract<IoLine, { readonly _tag: 'Truncate' }>): boolean {
    const { session, complain } = this.target
    const done = session?.command({ _tag: 'Resize', size, preallocation })
    if (done !== undefined && E.isRight(done)) return true
    complain(done === undefined ? readOnly : showFailure(done.left))
    return false
  }

  /** The VM state behind the disk, in a chain of its own; a raw file has none. */
  private vmState(): Chain | undefined {
    const [top] = this.target.chain()
    return top._tag === 'Raw' ? undefined : [{ _tag: 'Image', disk: activeVmState(top.disk.g, top.disk) }]
  }

  private info(): boolean {
    const { print } = this.target
    const [top] = this.target.chain()
    if (top._tag === 'Raw') {
      print('format name: raw\n')
      return true
    }
    const { g, size } = top.disk
    const facts = this.target.run(readFacts)
    if (E.isLeft(facts)) throw new Error(showFailure(facts.left))
    print(`format name: qcow2\ncluster size: ${amount(clusterSize(g))}\n`)
    print(`vm state offset: ${amount(vmStateOffset(g, size))}\n`)
    print(
      specificLines(specificJson(facts.right))
        .map((line) => `${line}\n`)
        .join('')
    )
    return true
  }
}

/** Bytes of a chain, and zeros behind its end. */
function* readPart(chain: Chain, at: number, length: number): Plan<Uint8Array> {
  const n = Math.max(0, Math.min(length, chainSize(chain) - at))
  const bytes = n === 0 ? new Uint8Array(0) : yield* readGuest(chain, at, n, native)
  if (n === length) return bytes
  const out = new Uint8Array(length)
  out.set(bytes)
  return out
}

const isAll = (bytes: Uint8Array, value: number): boolean => bytes.every((byte) => byte === value)

/** The target of an image that is open for writing. */
export const writingTarget = (session: Changes, out: Pick<Target, 'print' | 'complain'>): Target => ({
  ...out,
  chain: () => session.chain,
  run: (plan, tell = () => undefined) => runSync(plan(), { read: session.read, emit: tell }),
  session
})
