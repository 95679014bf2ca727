/**
 * Images in files and on servers, for Node: opening them, and running plans on them. A name inside an image is followed
 * only to plain files in its own folder, or in folders that are allowed; an image on a server names no other file.
 *
 * Reasons are lines of text. What is opened is to be closed.
 */
export { isUrl, openSource, type Source } from './files/source.js'
export { openChain, type OpenChain, type OpenOptions } from './images/open.js'
export { run, type World } from './files/world.js'
export { native } from './compression/decompress.js'
