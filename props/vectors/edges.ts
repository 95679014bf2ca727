/** The edge of each clause: which vectors break it, which come nearest to it and keep it, and which clauses no image breaks. */
import { type ClauseId, clauses, isClauseId } from '../../spec/clauses/index.js'
import { open } from '../../spec/clauses/open.js'

type ByClause<A> = Readonly<Partial<Record<ClauseId, A>>>

/** Vectors that keep a clause by the value next to one that breaks it. */
export const nearest: ByClause<readonly string[]> = {
  'GEN-01': ['deflate'],
  'HDR-02': ['header-length-104'],
  'HDR-04': ['compression-type-1'],
  'HDR-07': ['compression-type-1'],
  'HDR-09': ['l1-entries'],
  'FEAT-01': ['subclusters'],
  'FEAT-06': ['data-file-raw'],
  'FEAT-07': ['bitmap'],
  'EXT-02': ['extensions-of-two-types'],
  'EXT-03': ['extension-to-cluster-end'],
  'EXT-04': ['extension-to-name'],
  'EXT-05': ['backing-format-padding'],
  'EXT-06': ['backing-format-15'],
  'EXT-07': ['feature-name-bit-63'],
  'EXT-09': ['case-59-luks'],
  'EXT-10': ['bitmap'],
  'EXT-11': ['data-file'],
  'EXT-21': ['backing'],
  'BACK-01': ['backing-name-1023'],
  'BACK-02': ['backing-offset-512', 'backing-name-at-cluster-end'],
  'BACK-06': ['backing'],
  'BACK-07': ['data-file-with-backing'],
  'DATA-01': ['data-file'],
  'DATA-03': ['data-file'],
  'DATA-04': ['data-file'],
  'DATA-05': ['data-file'],
  'REF-01': ['refcounts-16-bits'],
  'REF-02': ['refcounts-1-bits', 'refcounts-64-bits'],
  'REF-04': ['clusters-512'],
  'REF-06': ['refcount-table-clusters-16384'],
  'REF-08': ['snapshot'],
  'L1-01': ['l1-unallocated', 'snapshot'],
  'L1-03': ['l1-size-4194304'],
  'L1-05': ['clusters-4096'],
  'L2-02': ['clusters-4096', 'zero-flag'],
  'L2-04': ['snapshot'],
  'L2-05': ['v2-clusters-512'],
  'L2-08': ['deflate-example'],
  'SUB-01': ['subclusters'],
  'SUB-04': ['subcluster-zero'],
  'SUB-06': ['deflate-in-extended-l2'],
  'CMP-01': ['deflate'],
  'CMP-06': ['deflate'],
  'CMP-07': ['deflate-of-zeros'],
  'CMP-09': ['deflate-of-zeros'],
  'CMP-10': ['case-30-zstd'],
  'CMP-12': ['deflate-last-partial'],
  'SNAP-01': ['snapshot'],
  'SNAP-02': ['snapshot-extra-16'],
  'SNAP-03': ['snapshot-extra-1024'],
  'SNAP-08': ['snapshot'],
  'SNAP-09': ['snapshot'],
  'SNAP-11': ['snapshots-offset-512'],
  'BMP-01': ['bitmap'],
  'BMP-02': ['bitmap'],
  'BMP-03': ['bitmaps-two'],
  'BMP-04': ['bitmap'],
  'BMP-05': ['bitmap-table-ones'],
  'BMP-07': ['bitmap'],
  'BMP-08': ['bitmap-last-bit'],
  'BMP-11': ['bitmap'],
  'BMP-12': ['bitmap'],
  'BMP-13': ['bitmap'],
  'BMP-14': ['bitmap'],
  'LUKS-02': ['case-59-luks'],
  'LUKS-03': ['case-59-luks'],
  'LUKS-07': ['case-59-luks'],
  'OPEN-01': ['clusters-512'],
  'OPEN-02': ['v2-clusters-512', 'clusters-512'],
  'OPEN-03': ['clusters-512', 'clusters-2097152'],
  'OPEN-04': ['header-length-104'],
  'OPEN-05': ['header-length-512'],
  'OPEN-06': ['backing-offset-512'],
  'OPEN-07': ['compression-type-1'],
  'OPEN-08': ['compression-type-1'],
  'OPEN-09': ['subclusters'],
  'OPEN-10': ['dirty'],
  'OPEN-11': ['subclusters'],
  'OPEN-12': ['refcounts-64-bits'],
  'OPEN-14': ['clusters-512'],
  'OPEN-15': ['refcount-table-clusters-16384'],
  'OPEN-16': ['clusters-512'],
  'OPEN-18': ['snapshots-offset-512'],
  'OPEN-19': ['l1-size-4194304'],
  'OPEN-20': ['clusters-512'],
  'OPEN-21': ['size-2147483647-l1-entries'],
  'OPEN-22': ['l1-entries'],
  'OPEN-23': ['crypt-method-1'],
  'OPEN-25': ['case-59-luks', 'bitmap'],
  'OPEN-26': ['data-file-raw'],
  'OPEN-27': ['case-59-luks'],
  'OPEN-28': ['backing-name-at-cluster-end'],
  'OPEN-29': ['snapshot-extra-1024'],
  'OPEN-31': ['bitmap']
}

/** Vectors that break a clause, of which a check or a refusal names another that they break too. */
export const breaking: ByClause<readonly string[]> = {
  'EXT-04': ['extension-past-name'],
  'EXT-05': ['backing-format-terminated'],
  'REF-01': ['refcount-0'],
  'L1-03': ['l1-size-4194305'],
  'CMP-06': ['deflate-refcount'],
  'CMP-07': ['deflate-zlib-header'],
  'CMP-12': ['deflate-last-short'],
  'SNAP-08': ['snapshot-l1-shared'],
  'SNAP-09': ['snapshot-table-refcount'],
  'SNAP-11': ['snapshots-offset-8'],
  'BMP-13': ['bitmap-directory-refcount'],
  'BMP-14': ['v2-bitmaps-extension'],
  'LUKS-07': ['crypt-method-2'],
  'OPEN-04': ['header-length-103'],
  'OPEN-05': ['header-length-520'],
  'OPEN-07': ['compression-type-2', 'compression-type-2-with-bit', 'compression-type-255-with-bit'],
  'OPEN-08': ['compression-bit-alone', 'compression-type-1-without-bit'],
  'OPEN-09': ['incompatible-bit-5', 'incompatible-bit-63'],
  'OPEN-10': ['corrupt'],
  'OPEN-11': ['extended-l2-8192'],
  'OPEN-12': ['refcount-order-7', 'refcount-order-8', 'refcount-order-31', 'refcount-order-63'],
  'OPEN-15': ['refcount-table-clusters-16385'],
  'OPEN-22': ['l1-size-0', 'l1-size-1', 'l1-size-2', 'l1-size-3'],
  'OPEN-25': ['encryption-pointer-alone', 'bitmaps-extension-25'],
  'OPEN-26': ['data-file-raw-alone'],
  'OPEN-27': ['crypt-method-2'],
  'OPEN-28': ['backing-name-1024', 'backing-name-past-cluster'],
  'OPEN-29': ['snapshot-extra-1025'],
  'OPEN-31': ['bitmap-type-2']
}

/** Clauses on images and on opening them that no image can break, and why. */
export const unbreakable: ByClause<string> = {
  'GEN-02': 'A structure that is not where it must be breaks the clause of its offset.',
  'GEN-06': 'Any bytes are a number.',
  'EXT-01': 'Any bytes are a record; one that runs past the end breaks EXT-03.',
  'BACK-04': 'Any name is of one of the three kinds.',
  'BACK-08': 'It is a permission.',
  'DATA-07': 'Whether the data file is the disk is seen in the data file.',
  'REF-05': 'Any bytes are refcounts.',
  'REF-09': 'A refcount is that of a cluster of the image file.',
  'L2-01': 'Any word is such an entry.',
  'L2-09': 'An entry has no bits for a higher offset.',
  'SUB-02': 'Any bitmap has a meaning, or breaks SUB-04.',
  'SNAP-12': 'What is stored there is the VM state.',
  'BMP-06': 'Any bytes are bits of a bitmap.',
  'LUKS-01': 'Any bytes decrypt to some.',
  'LUKS-04': 'Any bytes decrypt to some.',
  'LUKS-05': 'Any bytes decrypt to some.',
  'OPEN-13': 'A system emulator is no reader of vectors.',
  'OPEN-24': 'It is about an option.',
  'OPEN-32': 'It is about a repair.',
  'OPEN-40': 'It is a permission.',
  'OPEN-41': 'It is a permission.',
  'INT-02': 'It is what a crash leaves; a wrong refcount breaks REF-01.',
  'ST-30': 'What is stored there is the VM state.'
}

/** Clauses whose nearest legal image is too large for a vector. */
export const tooLarge: ByClause<string> = {
  'OPEN-17': 'A table of 65536 snapshots is 2.6 MB long.',
  'OPEN-30': 'A snapshot table of 64 MiB.',
  'SNAP-07': 'A snapshot table of 64 MiB, or an L1 table of 32 MiB.'
}

/** The clauses of one table that name a vector. */
export const clausesOf = (table: ByClause<readonly string[]>, id: string): readonly ClauseId[] =>
  Object.entries(table).flatMap(([clause, ids]) => (ids.includes(id) && isClauseId(clause) ? [clause] : []))

/** The clauses that an image can break: those on images and on opening them, and those that some image does break. */
export const breakable = (broken: ReadonlySet<ClauseId>): readonly ClauseId[] =>
  Object.keys(clauses)
    .filter(isClauseId)
    .filter((id) => {
      const { subject } = clauses[id]
      return subject === 'image' || (id in open.clauses && subject === 'reader') || broken.has(id)
    })
    .filter((id) => !(id in unbreakable))
