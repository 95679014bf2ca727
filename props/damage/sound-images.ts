/** The images of the corpus that are damaged: small ones, of every kind. */

const matrix = [
  '512-w16-v2-zlib',
  ...[1, 4, 16, 64].map((width) => `512-w${width}-v3-zlib`),
  ...[2, 8, 32].map((width) => `512-w${width}-v3-zstd`),
  '1k-w1-v3-zstd',
  '2k-w4-v3-zlib',
  '4k-w16-v3-zlib',
  '4k-w64-v3-zstd',
  '8k-w2-v3-zstd',
  '16k-w16-v2-zlib',
  '16k-w1-v3-zlib-ext',
  '16k-w16-v3-zstd-ext',
  '16k-w64-v3-zlib-ext',
  '32k-w8-v3-zstd-ext',
  '64k-w16-v3-zlib',
  '64k-w4-v3-zlib-ext'
]

/** Names of images of the corpus. Each is sound, or has one fault that QEMU opens it with. */
export const soundImages: readonly string[] = [
  ...matrix.map((name) => `matrix-${name}`),
  'case-16-backing-raw',
  'case-18-backing-v2',
  'case-23-zero-over-backing',
  'case-27-lazy-refcounts-crashed',
  'case-35-compressed-last-partial',
  'case-37-data-file',
  'case-38-data-file-raw',
  'case-40-data-file-extended-l2',
  'case-42-subclusters-over-backing',
  'case-50-snapshot-v2',
  'case-51-snapshots-of-two-sizes',
  'case-52-vm-state',
  'case-53-many-snapshots',
  'case-57-bitmap-table-of-clusters',
  'case-59-luks',
  'case-60-aes',
  'case-62-shrunk',
  'odd-backing-name-at-end',
  'odd-bitmap-all-ones',
  'odd-bitmap-beside-snapshot',
  'odd-bitmaps-untrusted',
  'odd-deflate-two-blocks',
  'odd-snapshot-extra-40',
  'odd-zstd-two-frames'
]
