/** What must be true of qcow2: its clauses, and the abstract disk. */

export * from './clauses/index.js'
export * from './disk.js'
