/** Where the witness of a clause is, and on which exact versions of QEMU it held. */
import { allScripts, type Placed } from '../../witness/documents.js'
import { digestOf, kept, type Records } from '../../witness/record.js'
import { parties, type Party } from '../../witness/document.js'

/** A series of QEMU that witnesses run on. */
export type Series = Exclude<Party, 'ours'>

/** The series of QEMU, oldest first. */
export const series: readonly Series[] = parties.flatMap((party) => (party === 'ours' ? [] : [party]))

/** The scripts of all clauses, and the records of what held. */
export const scripts: readonly Placed[] = allScripts()
const records: Records = kept()

const versionIn = (versions: readonly string[], name: Series): string | undefined =>
  versions.filter((version) => version.startsWith(`${name}.`)).at(-1)

/** The exact version of a series for which a script held. */
export const heldFor = (script: Placed, name: Series): string | undefined =>
  versionIn(records[digestOf(script)] ?? [], name)

/** The exact version of a series for which scripts are recorded. */
export const exactVersion = (name: Series): string => versionIn(Object.values(records).flat().sort(), name) ?? name

/** A clause as a link to its witness, from a page in spec. */
export const witnessLink = (clause: string): string => {
  const document = scripts.find((script) => script.clause === clause)?.document ?? ''
  return `[${clause}](clauses/${document}#${clause.toLowerCase()})`
}
