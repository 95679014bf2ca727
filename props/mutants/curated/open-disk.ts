/** Mutants of open disks, which read a guest disk in many small reads. */
import type { Mutant } from '../mutant.js'

export const openDiskMutants: readonly Mutant[] = [
  {
    name: 'an open disk returns the memory that it reads ahead into',
    file: 'image/guest/open-disk.ts',
    change: { in: 'OpenDisk.takeAhead', find: 'copy($bytes)', to: '$bytes' },
    red: 'props/image/guest/open-disk.test.ts',
    rule: 'bytes that were read ahead stay as they are under later reads'
  },
  {
    name: 'an open disk confuses compressed clusters of two layers',
    file: 'image/guest/open-disk.ts',
    change: { in: 'OpenDisk.compressed', find: '$number * this.chain.length + e.depth', to: '$number' },
    red: 'props/image/guest/open-disk.test.ts',
    rule: 'compressed clusters of one number in two layers are kept apart'
  },
  {
    name: 'an open disk looks below a layer past its end',
    file: 'image/guest/locator.ts',
    change: { in: 'Locator.find', find: 'Math.min($end, layerSize(next))', to: '$end' },
    red: 'props/image/guest/open-disk.test.ts',
    rule: 'bytes past the end of a layer are not looked for below it'
  },
  {
    name: 'an open disk reads ahead wherever it reads',
    file: 'image/guest/open-disk.ts',
    change: { in: 'OpenDisk.requested', find: '$at === this.end', to: 'true' },
    red: 'props/image/guest/open-disk.test.ts',
    rule: 'reads that follow each other request 128 KiB ahead, and others nothing that they do not need'
  },
  {
    name: 'an open disk keeps no decompressed cluster',
    file: 'image/guest/open-disk.ts',
    change: { in: 'OpenDisk.compressed', find: 'this.clusters.add($key, $cluster)', to: '' },
    red: 'props/image/guest/open-disk.test.ts',
    rule: 'a compressed cluster is decoded once as long as it is kept'
  }
]
