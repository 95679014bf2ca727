/** Mutants of src/compression. */
import type { Mutant } from '../mutant.js'

const inDeflate = {
  red: 'props/compression/compress.test.ts',
  rule: 'bytes that repeat at a distance of 4096 are matched, at 4097 not'
}

export const compressionMutants: readonly Mutant[] = [
  {
    name: 'the output of a deflate stream before its error is lost',
    file: 'compression/inflate.ts',
    change: { in: 'inflate', find: '$coarse.fault === undefined', operator: 'condition-true' },
    red: 'props/compression/inflate.test.ts',
    rule: 'an error in a stream after more than a cluster is not reached, and one after a cluster is'
  },
  {
    name: 'a match reaches back more than 4096 bytes',
    file: 'compression/deflate.ts',
    change: { in: 'window', find: '4096', to: '8192' },
    ...inDeflate
  },
  {
    name: 'the only deflate block is not marked as the last',
    file: 'compression/deflate.ts',
    change: { in: 'deflate', find: '$out.put(1, 1)', to: '$out.put(0, 1)' },
    ...inDeflate
  },
  {
    name: 'a match of 258 bytes has the extra bits of length symbol 284',
    file: 'compression/deflate-codes.ts',
    change: { in: 'lengthRanges', find: '0', to: '5' },
    ...inDeflate
  },
  {
    name: 'the last zstd block is not marked as the last',
    file: 'compression/zstd-runs.ts',
    change: { in: 'blocks', find: '$end === $bytes.length', operator: 'condition-false' },
    red: 'props/compression/compress.test.ts',
    rule: 'a cluster in a zstd frame decompresses to its bytes'
  },
  {
    name: 'what follows a cluster in a deflate stream is not judged',
    file: 'compression/inflate.ts',
    change: { in: 'inflate', find: '$length === size && !finished && !cut', operator: 'condition-false' },
    red: 'props/compression/inflate.test.ts',
    rule: 'the portable decoder accepts what zlib accepts, and so does that of Node'
  },
  {
    name: 'zlib keeps memory for every stream that it refuses',
    file: 'node/compression/native.ts',
    change: { in: 'inflate', find: 'refused >= mostRefused', to: 'false' },
    red: 'props/compression/inflate.test.ts',
    rule: 'hundreds of streams that zlib refuses take no more memory than some of them'
  }
]
