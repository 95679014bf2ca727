/** Groups: guest writes that become durable together, with no more flushes than one of them needs. */
import type { HostWrite } from '../bytes/host-write.js'
import { sectorSize } from '../format/limits.js'
import type { AnyCommand } from './command.js'
import type { Step } from './engine/finish.js'
import { inOrder, stages } from './engine/stages.js'

/** Whether a command may join a group: nothing but the guest bytes that it writes depends on when it becomes durable. */
export const mayJoin = (command: AnyCommand): boolean => command._tag === 'Write'

/** Sectors `[first, end)`. */
const sectorsOf = ({ at, bytes }: HostWrite & { readonly _tag: 'Write' }) => ({
  first: Math.floor(at / sectorSize),
  end: Math.ceil((at + bytes.length) / sectorSize)
})

/**
 * The steps of several guest writes, merged stage by stage: an early stage of a later step comes before the late stages of
 * earlier steps. That is safe where these do not write the same sectors, since a stage waits for earlier stages of its own
 * step only. One driver owns a group.
 */
export class Group {
  private readonly staged: HostWrite[][] = stages.map(() => [])
  /** For each file, the last stage in which a sector is written. */
  private readonly last = { image: new Map<number, number>(), data: new Map<number, number>() }
  private bytes = 0

  /** Adds a step; returns whether it could. Otherwise the step waits until the group has been performed. */
  join(step: Pick<Step, 'staged'>): boolean {
    if (step.staged.length > stages.length) return false
    if (!step.staged.every((writes, stage) => writes.every((w) => this.fits(w, stage)))) return false
    step.staged.forEach((writes, stage) => {
      this.staged[stage]?.push(...writes)
      for (const w of writes) this.note(w, stage)
    })
    return true
  }

  /** Bytes of the writes in the group. */
  get size(): number {
    return this.bytes
  }

  /** The writes of all steps, in order. */
  writes(): readonly HostWrite[] {
    return inOrder(this.staged)
  }

  /** Whether the group writes none of the sectors in a later stage. */
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
