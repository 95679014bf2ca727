/**
 * Generators for fast-check of every on-disk structure of qcow2, derived from the tables of its fields.
 *
 * Each {@link Structure} draws any value its codec takes, values that break no rule, and (through {@link corrupted} and
 * {@link anyBytes}) bytes that may be no such structure at all. {@link arbitraryImage} draws whole images. {@link arbitraryShape}
 * draws geometries of images, and {@link arbitraryScript} commands for them, which {@link commandOf} fits to the disk they meet.
 *
 * Needs fast-check, which is an optional peer dependency of this package.
 */
export * from './bitmap.js'
export { anyBytes, corrupted } from './corruption.js'
export { ofEveryStructure } from './every.js'
export * from './extension.js'
export * from './header.js'
export { arbitraryImage } from './image.js'
export { companions } from '../../src/fuzz/assembly.js'
export type { Fault } from '../../src/fuzz/fault.js'
export type { FuzzImage, ImageKind } from '../../src/fuzz/image.js'
export { l2Contexts, l2Entries, l2EntriesOf } from './l2.js'
export * from './luks.js'
export { arbitraryScript, commandOf, type Move } from './script.js'
export { arbitraryShape, backingOf, minimalShapes, type Shape, traitsOf } from './shape.js'
export * from './snapshot.js'
export type { Field, Fielded } from '../../src/fuzz/field.js'
export type { Structure } from './structure.js'
export * from './table.js'
