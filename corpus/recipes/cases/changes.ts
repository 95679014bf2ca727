/** Cases 49 to 77: snapshots, bitmaps, encryption, resizing, amending, rebasing, unknown content, damage and repair. */

import { base, dated, fresh, io, overBase, snapshots, type Recipe } from '../../recipe.js'

const secret = '--object secret,id=s0,data=abc'
const luks = 'encrypt.format=luks,encrypt.key-secret=s0,encrypt.iter-time=100'
const unlocked = 'driver=qcow2,file.filename=img.qcow2,encrypt.key-secret=s0'

const count = (to: number): readonly number[] => Array.from({ length: to }, (_, index) => index + 1)

export const changes: readonly Recipe[] = [
  {
    name: 'case-49-snapshots',
    title: 'snapshots taken, applied and deleted',
    check: 0,
    steps: [
      fresh('1M'),
      io('write -P 1 0 128k'),
      ...snapshots('one'),
      io('write -P 2 0 64k'),
      ...snapshots('two'),
      'qemu-img snapshot -a one img.qcow2',
      io('read -P 1 0 128k'),
      'qemu-img snapshot -d one img.qcow2'
    ],
    varies: dated
  },
  {
    name: 'case-50-snapshot-v2',
    title: 'a snapshot in version 2',
    check: 0,
    steps: [fresh('1M', 'compat=0.10'), io('write -P 1 0 128k'), ...snapshots('one')],
    varies: dated
  },
  {
    name: 'case-51-snapshots-of-two-sizes',
    title: 'snapshots of different disk sizes',
    check: 0,
    steps: [
      fresh('1M'),
      io('write -P 1 0 128k'),
      ...snapshots('small'),
      'qemu-img resize -q img.qcow2 2G',
      ...snapshots('big'),
      'qemu-img snapshot -a small img.qcow2',
      'holds img.qcow2 size 0000000000100000'
    ],
    varies: dated
  },
  {
    name: 'case-52-vm-state',
    title: 'VM state past the end of the disk',
    check: 0,
    steps: [fresh('1M'), io('write -P 1 0 64k', 'write -b -P 7 0 128k', 'read -b -P 7 0 128k'), ...snapshots('vm')],
    varies: dated
  },
  {
    name: 'case-53-many-snapshots',
    title: 'a snapshot table of several clusters',
    check: 0,
    steps: [fresh('64k', 'cluster_size=512'), ...snapshots(...count(20).map((index) => `snap-number-${index}`))],
    varies: dated
  },
  {
    name: 'case-54-bitmaps',
    title: 'bitmaps enabled and disabled, of three granularities',
    check: 0,
    steps: [
      fresh('10M'),
      'qemu-img bitmap --add img.qcow2 b0',
      'qemu-img bitmap --add -g 512 --disable img.qcow2 b1',
      'qemu-img bitmap --add -g 2M img.qcow2 b2',
      io('write -P 1 1M 70k')
    ]
  },
  {
    name: 'case-55-bitmaps-changed',
    title: 'bitmaps disabled, merged, removed, cleared',
    check: 0,
    steps: [
      fresh('10M'),
      'qemu-img bitmap --add img.qcow2 b0',
      io('write 1M 70k'),
      'qemu-img bitmap --disable img.qcow2 b0',
      'qemu-img bitmap --add --disable -g 512 img.qcow2 b1',
      'qemu-img bitmap --merge b0 img.qcow2 b1',
      'qemu-img bitmap --add img.qcow2 b2',
      'qemu-img bitmap --remove img.qcow2 b0',
      'qemu-img bitmap --clear img.qcow2 b2'
    ]
  },
  {
    name: 'case-56-bitmap-in-use',
    title: 'a bitmap left in use by a crash',
    check: 0,
    steps: [
      fresh('1M'),
      'qemu-img bitmap --add img.qcow2 b0',
      '- qemu-io -c "write 0 64k" -c "sigraise 9" img.qcow2',
      'holds img.qcow2 bitmap_directory+12 00000003'
    ]
  },
  {
    name: 'case-57-bitmap-table-of-clusters',
    title: 'a bitmap table of several clusters',
    check: 0,
    steps: [
      fresh('256M', 'cluster_size=512'),
      'qemu-img bitmap --add -g 512 img.qcow2 b0',
      io('write 0 1k', 'write 200M 1k')
    ]
  },
  {
    name: 'case-58-bitmap-resized',
    title: 'a bitmap under a disk that grew and shrank',
    check: 0,
    steps: [
      fresh('10M'),
      'qemu-img bitmap --add img.qcow2 b0',
      io('write 9M 1M'),
      'qemu-img resize -q img.qcow2 20M',
      'qemu-img resize -q --shrink img.qcow2 5M'
    ]
  },
  {
    name: 'case-59-luks',
    title: 'LUKS encryption',
    check: 0,
    steps: [
      // Measuring how many iterations the time allows fails now and then, whatever the time.
      `~ qemu-img create -q -f qcow2 ${secret} -o ${luks} img.qcow2 4M`,
      `qemu-io ${secret} -c "write -P 7 0 64k" --image-opts ${unlocked}`
    ],
    opts: `${secret} --image-opts ${unlocked}`,
    varies: 'the LUKS header holds a random master key, salts and UUID, and iteration counts measured on the machine'
  },
  {
    name: 'case-60-aes',
    title: 'legacy AES encryption',
    check: 0,
    steps: [
      `qemu-img create -q -f qcow2 ${secret} -o encrypt.format=aes,encrypt.key-secret=s0 img.qcow2 4M`,
      `qemu-io ${secret} -c "write -P 7 0 64k" --image-opts ${unlocked}`
    ],
    opts: `${secret} --image-opts ${unlocked}`
  },
  {
    name: 'case-61-grown',
    title: 'a disk grown so far that the L1 table moves',
    check: 0,
    steps: [
      fresh('1M', 'cluster_size=512'),
      io('write -P 1 0 64k'),
      'qemu-img resize -q img.qcow2 100M',
      io('write -P 2 90M 1k')
    ]
  },
  {
    name: 'case-62-shrunk',
    title: 'a disk shrunk below what was written',
    check: 0,
    steps: [fresh('8M'), io('write -P 1 0 8M'), 'qemu-img resize -q --shrink img.qcow2 1536']
  },
  {
    name: 'case-63-grown-preallocated',
    title: 'a disk grown with preallocation',
    check: 0,
    steps: [
      fresh('1M'),
      'qemu-img resize -q --preallocation=falloc img.qcow2 4M',
      'qemu-img resize -q --preallocation=metadata img.qcow2 8M'
    ]
  },
  {
    name: 'case-64-refcount-table-grown',
    title: 'a refcount table that had to grow',
    check: 0,
    steps: [fresh('8M', 'cluster_size=512,refcount_bits=64'), io('write -P 1 0 4M')]
  },
  {
    name: 'case-65-amended-v2-to-v3',
    title: 'version 2 with a snapshot amended to version 3',
    check: 0,
    steps: [fresh('1M', 'compat=0.10'), io('write 0 64k'), ...snapshots('a'), 'qemu-img amend -o compat=1.1 img.qcow2'],
    varies: dated
  },
  {
    name: 'case-66-amended-v3-to-v2',
    title: 'version 3 with zero clusters over a backing file amended to version 2',
    check: 0,
    steps: [
      ...base,
      overBase,
      io('write -z 0 64k', 'write -P 2 64k 64k', 'write -z 64k 64k'),
      'qemu-img amend -o compat=0.10 img.qcow2',
      io('read -P 0 0 128k')
    ],
    companions: ['base.qcow2']
  },
  {
    name: 'case-67-amended-refcount-width',
    title: 'refcounts amended from 16 bits to 64 and to 1',
    check: 0,
    steps: [
      fresh('8M'),
      io('write 0 1M'),
      'qemu-img amend -o refcount_bits=64 img.qcow2',
      'qemu-img check -q img.qcow2',
      'qemu-img amend -o refcount_bits=1 img.qcow2'
    ]
  },
  {
    name: 'case-68-amended-lazy-refcounts',
    title: 'lazy refcounts amended on and off',
    check: 0,
    steps: [
      fresh('8M'),
      'qemu-img amend -o lazy_refcounts=on img.qcow2',
      'qemu-img amend -o lazy_refcounts=off img.qcow2'
    ]
  },
  {
    name: 'case-69-committed',
    title: 'an overlay emptied by committing it',
    check: 0,
    steps: [
      ...base,
      overBase,
      io('write -P 2 64k 64k', 'write -z 128k 64k'),
      'qemu-img commit -q img.qcow2',
      'qemu-io -c "read -P 2 64k 64k" -c "read -P 0 128k 64k" base.qcow2'
    ],
    companions: ['base.qcow2']
  },
  {
    name: 'case-70-rebased',
    title: 'an overlay rebased safely, then by its header only',
    check: 0,
    steps: [
      ...base,
      'qemu-img create -q -f qcow2 -b base.qcow2 -F qcow2 mid.qcow2',
      'qemu-io -c "write -P 2 64k 64k" mid.qcow2',
      'qemu-img create -q -f qcow2 -b mid.qcow2 -F qcow2 img.qcow2',
      'qemu-img rebase -b base.qcow2 -F qcow2 img.qcow2',
      io('read -P 2 64k 64k'),
      `qemu-img rebase -u -b '' img.qcow2`,
      io('read -P 2 64k 64k', 'read -P 0 0 64k')
    ]
  },
  {
    name: 'case-71-flattened',
    title: 'an overlay rebased to nothing: the data is copied',
    check: 0,
    steps: [...base, overBase, `qemu-img rebase -b '' img.qcow2`, io('read -P 0x11 0 1M')]
  },
  {
    name: 'case-72-converted-with-bitmaps',
    title: 'a bitmap carried over by convert',
    check: 0,
    steps: [
      'qemu-img create -q -f qcow2 src.qcow2 10M',
      'qemu-img bitmap --add src.qcow2 b0',
      'qemu-io -c "write 1M 64k" src.qcow2',
      'qemu-img convert --bitmaps -O qcow2 src.qcow2 img.qcow2',
      'holds img.qcow2 bitmap_directory+24 6230'
    ]
  },
  {
    name: 'case-73-unknown-kept',
    title: 'an unknown extension and an unknown compatible bit survive a rewrite of the header',
    check: 0,
    steps: [
      fresh('1M'),
      'patch img.qcow2 0x1f8 12345678 00000005 68656c6c6f 000000',
      'patch img.qcow2 compatible_features 0000000000000002',
      'qemu-img amend -o lazy_refcounts=on img.qcow2',
      'holds img.qcow2 0x1f8 12345678 00000005 68656c6c6f 000000',
      'holds img.qcow2 compatible_features 0000000000000003'
    ]
  },
  {
    name: 'case-74-leak',
    title: 'a leaked cluster: its L2 entry is gone',
    check: 3,
    steps: [fresh('1M'), io('write 0 128k'), 'patch img.qcow2 l2 0000000000000000']
  },
  {
    name: 'case-75-shared-cluster',
    title: 'two guest clusters in one host cluster',
    check: 2,
    steps: [fresh('1M'), io('write 0 128k'), 'copy img.qcow2 0x40000 0x40008 8']
  },
  {
    name: 'case-76-repaired',
    title: 'refcounts rebuilt after their block was zeroed',
    check: 0,
    steps: [
      fresh('1M'),
      io('write -P 1 0 128k'),
      'holds img.qcow2 refcount_block 0001 0001 0001 0001 0001 0001 0001 0000',
      'patch img.qcow2 refcount_block 0000 0000 0000 0000 0000 0000 0000 0000',
      'qemu-img check -q -r all img.qcow2',
      io('read -P 1 0 128k')
    ]
  },
  {
    name: 'case-77-header-104',
    title: 'a header of 104 bytes, without additional fields',
    check: 0,
    steps: [
      fresh('1M', 'cluster_size=4k'),
      'patch img.qcow2 header_length 00000068',
      'patch img.qcow2 104 0000000000000000 0000000000000000',
      'qemu-io -r -c "read 0 512" img.qcow2'
    ]
  }
]
