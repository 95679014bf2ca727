/** What must be true of qcow2. */

export * from './clauses/index.js'
