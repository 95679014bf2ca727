/** Cases 01 to 28: sizes, refcount widths, backing files, zero clusters, the dirty and the corrupt bit. */

import { base, dated, fresh, io, overBase, snapshots, type Recipe } from '../../recipe.js'

/** A file name as long as one may be: 1023 bytes. */
const longName = `${'./'.repeat(506)}/base.qcow2`

const jsonName = 'json:{"driver":"qcow2","file":{"driver":"file","filename":"base.qcow2"}}'

export const basic: readonly Recipe[] = [
  { name: 'case-01-empty-v3', title: 'an empty image', check: 0, steps: [fresh('1G')] },
  { name: 'case-02-empty-v2', title: 'an empty version 2 image', check: 0, steps: [fresh('1G', 'compat=0.10')] },
  { name: 'case-03-size-0', title: 'a disk of no bytes', check: 0, steps: [fresh('0')] },
  {
    name: 'case-04-size-rounded',
    title: 'a size of 100001 bytes, rounded up to a sector',
    check: 0,
    steps: [fresh('100001'), io('write -P 1 0 100352')]
  },
  {
    name: 'case-05-last-cluster-partial',
    title: 'a disk that ends within a cluster',
    check: 0,
    steps: [fresh('198144'), io('write -P 3 196608 1536', 'write -P 4 0 512')]
  },
  {
    name: 'case-06-clusters-512',
    title: 'the smallest clusters',
    check: 0,
    steps: [fresh('4M', 'cluster_size=512'), io('write -P 1 0 100k', 'write -P 2 3M 3k')]
  },
  {
    name: 'case-07-clusters-2m',
    title: 'the largest clusters',
    check: 0,
    steps: [fresh('64M', 'cluster_size=2M'), io('write -P 1 5M 1M')]
  },
  {
    name: 'case-08-refcount-1',
    title: 'refcounts of 1 bit',
    check: 0,
    steps: [fresh('4M', 'refcount_bits=1'), io('write -P 1 0 1M')]
  },
  {
    name: 'case-09-refcount-2',
    title: 'refcounts of 2 bits at their greatest, 3',
    check: 0,
    steps: [fresh('4M', 'refcount_bits=2'), io('write -P 1 0 256k'), ...snapshots('a', 'b')],
    varies: dated
  },
  {
    name: 'case-10-refcount-4',
    title: 'refcounts of 4 bits with snapshots',
    check: 0,
    steps: [fresh('4M', 'refcount_bits=4'), io('write -P 1 0 256k'), ...snapshots('s1', 's2', 's3', 's4', 's5')],
    varies: dated
  },
  ...[8, 32, 64].map((width, index) => ({
    name: `case-${11 + index}-refcount-${width}`,
    title: `refcounts of ${width} bits with a snapshot`,
    check: 0,
    steps: [fresh('4M', `refcount_bits=${width}`), io('write 0 256k'), ...snapshots('a')],
    varies: dated
  })),
  {
    name: 'case-14-refcount-1-snapshot-refused',
    title: 'a snapshot that refcounts of 1 bit cannot hold leaks one cluster',
    check: 3,
    steps: [fresh('4M', 'refcount_bits=1'), io('write 0 64k'), '! qemu-img snapshot -c a img.qcow2']
  },
  {
    name: 'case-15-backing-smaller',
    title: 'an overlay larger than its backing file, with a write whose head and tail are copied',
    check: 0,
    steps: [...base, `${overBase} 2M`, io('write -P 0x22 1000k 100k', 'read -P 0x11 960k 40k', 'read -P 0 1100k 900k')],
    companions: ['base.qcow2']
  },
  {
    name: 'case-16-backing-raw',
    title: 'a raw backing file that ends within a sector',
    check: 0,
    steps: [
      'fill base.raw 100000 0x11',
      'qemu-img create -q -f qcow2 -b base.raw -F raw img.qcow2 1M',
      io('write -P 9 99k 512', 'read -P 0x11 64k 32k', 'read -P 0 98k 1k')
    ],
    companions: ['base.raw']
  },
  {
    name: 'case-17-backing-without-format',
    title: 'a backing file without a stated format: its extension is turned into an unknown one',
    check: 0,
    steps: [
      ...base,
      `${overBase} 1M`,
      '! qemu-img create -u -b base.qcow2 x.qcow2 1M',
      'patch img.qcow2 extensions 01020304',
      'qemu-io -r -c "read -P 0x11 0 1M" img.qcow2'
    ],
    companions: ['base.qcow2']
  },
  {
    name: 'case-18-backing-v2',
    title: 'a version 2 overlay with the backing format extension and 512-byte clusters',
    check: 0,
    steps: [
      ...base,
      'qemu-img create -q -f qcow2 -o compat=0.10,cluster_size=512 -b base.qcow2 -F qcow2 img.qcow2 1M',
      io('write -P 2 0 3k')
    ],
    companions: ['base.qcow2']
  },
  {
    name: 'case-19-backing-chain',
    title: 'a chain of three images',
    check: 0,
    steps: [
      ...base,
      'qemu-img create -q -f qcow2 -b base.qcow2 -F qcow2 mid.qcow2',
      'qemu-io -c "write -P 2 64k 64k" mid.qcow2',
      'qemu-img create -q -f qcow2 -b mid.qcow2 -F qcow2 img.qcow2',
      io('write -P 3 128k 1k')
    ],
    companions: ['mid.qcow2', 'base.qcow2']
  },
  {
    name: 'case-20-backing-json',
    title: 'a backing file named by a json: description',
    check: 0,
    steps: [...base, `qemu-img create -q -f qcow2 -b '${jsonName}' -F qcow2 img.qcow2`],
    companions: ['base.qcow2']
  },
  {
    name: 'case-21-backing-name-1023',
    title: 'a backing file name of 1023 bytes, the longest there is',
    check: 0,
    steps: [...base, `qemu-img create -q -f qcow2 -b ${longName} -F qcow2 img.qcow2 1M`],
    companions: ['base.qcow2']
  },
  {
    name: 'case-22-zero-clusters',
    title: 'zero clusters that keep their host cluster, have none, or were discarded',
    check: 0,
    steps: [
      fresh('1M'),
      io('write -P 1 0 256k', 'write -z 0 64k', 'write -z -u 64k 64k', 'discard 128k 64k', 'write -z 512k 64k')
    ]
  },
  {
    name: 'case-23-zero-over-backing',
    title: 'zero clusters over a backing file',
    check: 0,
    steps: [...base, overBase, io('write -z 0 64k', 'discard 64k 64k', 'write -z 130k 4k')],
    companions: ['base.qcow2']
  },
  {
    name: 'case-24-zero-v2',
    title: 'version 2 frees what is zeroed or discarded',
    check: 0,
    steps: [fresh('1M', 'compat=0.10'), io('write -P 1 0 256k', 'write -z 0 64k', 'discard 128k 64k')]
  },
  {
    name: 'case-25-zero-v2-over-backing',
    title: 'version 2 writes zeros as data over a backing file',
    check: 0,
    steps: [
      ...base,
      'qemu-img create -q -f qcow2 -o compat=0.10 -b base.qcow2 -F qcow2 img.qcow2',
      io('write -z 0 64k', 'read -P 0 0 64k')
    ],
    companions: ['base.qcow2']
  },
  {
    name: 'case-26-lazy-refcounts',
    title: 'lazy refcounts, closed cleanly',
    check: 0,
    steps: [fresh('1M', 'lazy_refcounts=on'), io('write -P 1 0 256k')]
  },
  {
    name: 'case-27-lazy-refcounts-crashed',
    title: 'lazy refcounts after a crash: the dirty bit is set and refcounts lag',
    check: 2,
    steps: [
      fresh('1M', 'lazy_refcounts=on'),
      '- qemu-io -c "write -P 1 0 256k" -c flush -c "sigraise 9" img.qcow2',
      'holds img.qcow2 incompatible_features 0000000000000001'
    ]
  },
  {
    name: 'case-28-corrupt-bit',
    title: 'the corrupt bit on a sound image',
    check: 0,
    steps: [fresh('1M'), 'patch img.qcow2 incompatible_features 0000000000000002']
  }
]
