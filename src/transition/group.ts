/** Groups: guest writes that become durable together, with as few flushes as one of them needs. */
import type { HostWrite } from '../bytes/host-write.js'
import { sectorSize } from '../format/limits.js'
import type { AnyCommand } from './command.js'
import type { Step } from './engine/finish.js'
import { inOrder, stages } from './engine/transaction.js'

/** Whether a command may join others: what it does is seen cluster by cluster, and nothing else depends on it. */
export const mayJoin = (command: AnyCommand): boolean => command._tag === 'Write'

/** Sectors `[first, end)`. */
const sectorsOf = ({ at, bytes }: HostWrite & { readonly _tag: 'Write' }) => ({
  first: Math.floor(at / sectorSize),
  end: Math.ceil((at + bytes.length) / sectorSize)
})

/**
 * The steps of several guest writes, stage by stage. What a later step does in a stage moves in front of what earlier ones do
 * in later stages. That is safe where it touches none of their sectors: each stage of a step needs nothing to be durable but
 * its own earlier stages. One driver owns it.
 */
export class Group {
  private readonly staged: HostWrite[][] = stages.map(() => [])
  /** For each file, the last stage in which a sector is written. */
  private readonly last = { image: new Map<number, number>(), data: new Map<number, number>() }
  private bytes = 0

  /** Takes a step in; tells whether it could. A step that could not is to wait until the group has been performed. */
  join(step: Pick<Step, 'staged'>): boolean {
    if (step.staged.length > stages.length) return false
    if (!step.staged.every((writes, stage) => writes.every((w) => this.fits(w, stage)))) return false
    step.staged.forEach((writes, stage) => {
      this.staged[stage]?.push(...writes)
      for (const w of writes) this.note(w, stage)
    })
    return true
  }

  /** Bytes that wait to be written. */
  get size(): number {
    return this.bytes
  }

  /** What is to be done, in order. */
  writes(): readonly HostWrite[] {
    return inOrder(this.staged)
  }

  /** Whether nothing of the write's is written in a later stage. */
  private fits(write: HostWrite, stage: number): boolean {
    if (write._tag !== 'Write') return true
    const last = this.last[write.file.part]
    const { first, end } = sectorsOf(write)
    for (let s = first; s < end; s++) if ((last.get(s) ?? 0) > stage) return false
    return true
  }

  private note(write: HostWrite, stage: number): void {
    if (write._tag !== 'Write') return
    const { first, end } = sectorsOf(write)
    for (let s = first; s < end; s++) this.last[write.file.part].set(s, stage)
    this.bytes += write.bytes.length
  }
}
