/** Tallies: answers held against those of QEMU, counted by what they are, and the differences by the row that explains them. */
import * as assert from 'uvu/assert'
import { explained } from './differences.js'
import { type Question, questions, type Subject, type Verdict } from './verdict.js'

const kindOf = (question: Question, answer: string): string => {
  if (question === 'check') return `check ${answer.split(' ', 1).join()}`
  return answer.length === 1 ? `${question} ${answer}` : question
}

/** What a run of comparisons came to. */
export class Tally {
  private readonly answers = new Map<string, number>()
  private readonly rows = new Map<string, number>()
  /** Answers that QEMU did not give in time. */
  late = 0

  /** Counts the answers about one image that both have given. Fails over a difference that no row explains. */
  hold(name: string, damaged: Subject, said: Verdict, ours: Partial<Verdict>): void {
    for (const question of questions) {
      const [qemu, own] = [said[question], ours[question]]
      if (own === undefined) continue
      if (qemu === 'late') this.late += 1
      else this.compare(name, { question, damaged, qemu, ours: own })
    }
  }

  /** The clauses of the rows that explained something. */
  used(): readonly string[] {
    return [...this.rows.keys()]
  }

  /** Every kind and every row with its count. */
  text(): string {
    const all = [...this.answers, ...[...this.rows].map(([clause, n]) => [`differ by ${clause}`, n] as const)]
    return all
      .map(([kind, n]) => `${kind}: ${n}`)
      .sort()
      .join(', ')
  }

  private compare(name: string, parting: Parameters<typeof explained>[0]): void {
    const { question, qemu, ours } = parting
    const kind = kindOf(question, qemu)
    this.answers.set(kind, (this.answers.get(kind) ?? 0) + 1)
    if (qemu === ours) return
    const row = explained(parting)
    assert.ok(row !== undefined, `${name}: ${question}: QEMU ${qemu}, not ${ours}`)
    this.rows.set(row.clause, (this.rows.get(row.clause) ?? 0) + 1)
  }
}
