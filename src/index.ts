/** qcow2-spec: codecs for every structure, plans that read images, reports and dumps. Pure: nothing here opens a file. */
export { type Clause, type ClauseId } from '../spec/clauses/index.js'
export { ByteType } from './bytes/byte-type.js'
export * from './format/index.js'
export * from './image/index.js'
