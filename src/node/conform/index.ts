/** The conformance vectors: small images, and what every program must make of them. */
export { filesOf, loadVectors } from './suite.js'
export type { Vector, Vectors } from './vector.js'
