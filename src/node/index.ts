/**
 * Images in files and on servers, for Node: opening them, and running plans on them. A name inside an image is followed
 * only to plain files in its own folder, or in folders that are allowed; on a server, in the same folder there.
 *
 * What may fail is a `TaskEither<CommandError, A>`. What is opened is to be closed.
 */
export type { CommandError } from './command-error.js'
export { openSource } from './files/file.js'
export { isUrl, run, type Source, type World } from './files/source.js'
export { openChain, type OpenChain, type OpenOptions } from './images/open.js'
export { native } from './compression/native.js'
export { nativeCipher } from './encryption/native.js'
