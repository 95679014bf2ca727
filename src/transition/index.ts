/** Transitions: every command as a pure plan that ends in an ordered list of host writes. */
export * from '../bytes/host-write.js'
export { type Command, step } from './command.js'
export { create, type CreateOptions } from './create.js'
export { type Step } from './finish.js'
export { open, type Surroundings } from './open.js'
export type { Opened } from './opened.js'
export { type Stage, stages } from './transaction.js'
