/** Groups: guest writes that become durable together, with as few flushes as one of them needs. */
import type { HostWrite } from '../bytes/host-write.js'
import { sectorSize } from '../format/limits.js'
import type { AnyCommand } from './command.js'
import type { Step } from './finish.js'
import { inOrder, stages } from './transaction.js'

/** Whether a command may join others: what it does is seen cluster by cluster, and nothing else depends on it. */
export const mayJoin = (command: AnyCommand): boolean => command._tag === 'Write'

const sectorsOf = (write: HostWrite): readonly string[] => {
  if (write._tag !== 'Write') return []
  const { part, depth } = write.file
  const first = Math.floor(write.at / sectorSize)
  const last = Math.floor((write.at + write.bytes.length - 1) / sectorSize)
  return Array.from({ length: last - first + 1 }, (_, i) => `${part}${depth}:${first + i}`)
}

/**
 * The steps of several guest writes, stage by stage. What a later step does in a stage moves in front of what earlier ones do
 * in later stages. That is safe where it touches none of their sectors: each stage of a step needs nothing to be durable but
 * its own earlier stages. One driver owns it.
 */
export class Group {
  private readonly staged: HostWrite[][] = stages.map(() => [])
  /** The last stage in which a sector is written. */
  private readonly last = new Map<string, number>()
  private bytes = 0

  /** Takes a step in; tells whether it could. A step that could not is to wait until the group has been performed. */
  join(step: Pick<Step, 'staged'>): boolean {
    if (step.staged.length > stages.length) return false
    const touched = step.staged.map((writes) => writes.flatMap(sectorsOf))
    if (touched.some((sectors, stage) => sectors.some((s) => (this.last.get(s) ?? 0) > stage))) return false
    step.staged.forEach((writes, stage) => {
      this.staged[stage]?.push(...writes)
      for (const s of touched[stage] ?? []) this.last.set(s, stage)
      for (const w of writes) this.bytes += w._tag === 'Write' ? w.bytes.length : 0
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
}
