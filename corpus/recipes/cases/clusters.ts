/** Cases 29 to 48: compressed clusters, external data files, extended L2 entries, preallocation. */

import { base, dated, fresh, io, snapshots, type Recipe } from '../../recipe.js'

/** A raw disk of 1 MiB, of which the first quarter holds text. */
const source = ['text src.raw 256k', 'truncate src.raw 1M']
const same = 'qemu-img compare -f raw -F qcow2 src.raw img.qcow2'

const byHand = 'driver=qcow2,file.filename=img.qcow2,data-file.driver=file,data-file.filename=img.raw'

export const clusters: readonly Recipe[] = [
  {
    name: 'case-29-deflate',
    title: 'a disk converted into deflated clusters',
    check: 0,
    steps: [...source, 'qemu-img convert -c -f raw -O qcow2 src.raw img.qcow2', same]
  },
  {
    name: 'case-30-zstd',
    title: 'a disk converted into zstd clusters',
    check: 0,
    steps: [...source, 'qemu-img convert -c -f raw -O qcow2 -o compression_type=zstd src.raw img.qcow2', same]
  },
  {
    name: 'case-31-deflate-clusters-512',
    title: 'compressed entries with 1 size bit',
    check: 0,
    steps: [...source, 'qemu-img convert -c -f raw -O qcow2 -o cluster_size=512 src.raw img.qcow2']
  },
  {
    name: 'case-32-deflate-clusters-2m',
    title: 'compressed entries with 13 size bits',
    check: 0,
    steps: [...source, 'qemu-img convert -c -f raw -O qcow2 -o cluster_size=2M src.raw img.qcow2']
  },
  {
    name: 'case-33-mixed-clusters',
    title: 'compressed and normal clusters, and one that does not compress',
    check: 0,
    steps: [
      fresh('1M'),
      'noise rnd 64k 33',
      io('write -c -P 1 0 64k', 'write -c -P 2 64k 64k', 'write -P 3 128k 64k', 'write -c -s rnd 192k 64k')
    ]
  },
  {
    name: 'case-34-compressed-overwritten',
    title: 'a write into a compressed cluster',
    check: 0,
    steps: [
      fresh('1M'),
      io(
        'write -c -P 1 0 64k',
        'write -c -P 2 64k 64k',
        'write -P 9 4k 1k',
        'read -P 1 0 4k',
        'read -P 9 4k 1k',
        'read -P 1 5k 59k'
      )
    ]
  },
  {
    name: 'case-35-compressed-last-partial',
    title: 'a compressed cluster that the disk ends in',
    check: 0,
    steps: [fresh('100352'), io('write -c -P 1 64k 34816')]
  },
  {
    name: 'case-36-compressed-shared',
    title: 'compressed clusters shared with a snapshot',
    check: 0,
    steps: [fresh('1M'), io('write -c -P 1 0 64k', 'write -c -P 2 64k 64k'), ...snapshots('a'), io('write -P 3 0 64k')],
    varies: dated
  },
  {
    name: 'case-37-data-file',
    title: 'an external data file',
    check: 0,
    steps: [
      fresh('1M', 'data_file=img.raw'),
      io('write -P 1 0 64k', 'write -P 2 200k 10k', 'write -z 512k 64k', 'discard 0 64k')
    ],
    companions: ['img.raw']
  },
  {
    name: 'case-38-data-file-raw',
    title: 'an external data file that is a raw disk by itself',
    check: 0,
    steps: [
      fresh('1M', 'data_file=img.raw,data_file_raw=on'),
      io('write -P 1 0 64k', 'write -z 64k 64k'),
      'qemu-img compare -f raw -F qcow2 img.raw img.qcow2'
    ],
    companions: ['img.raw']
  },
  {
    name: 'case-39-data-file-unnamed',
    title: 'an external data file whose name is not stored',
    check: 0,
    steps: [
      fresh('1M', 'data_file=img.raw'),
      'qemu-img amend -o data_file= img.qcow2',
      `qemu-io -c "write -P 1 0 64k" --image-opts ${byHand}`,
      '! qemu-img check -q img.qcow2'
    ],
    companions: ['img.raw'],
    opts: `--image-opts ${byHand}`
  },
  {
    name: 'case-40-data-file-extended-l2',
    title: 'an external data file under extended L2 entries',
    check: 0,
    steps: [fresh('1M', 'data_file=img.raw,extended_l2=on'), io('write -P 1 3k 5k', 'write -z 64k 4k')],
    companions: ['img.raw']
  },
  {
    name: 'case-41-subclusters',
    title: 'subclusters of every kind',
    check: 0,
    steps: [
      fresh('4M', 'extended_l2=on'),
      io(
        'write -P 1 0 2k',
        'write -P 2 5k 1k',
        'write -z 8k 4k',
        'write -P 3 64k 64k',
        'write -z 128k 64k',
        'write -c -P 4 192k 64k',
        'write -P 5 256k 64k',
        'discard 256k 64k'
      )
    ]
  },
  {
    name: 'case-42-subclusters-over-backing',
    title: 'a write copies no more than its subclusters from the backing file',
    check: 0,
    steps: [
      ...base,
      'qemu-img create -q -f qcow2 -o extended_l2=on,cluster_size=128k -b base.qcow2 -F qcow2 img.qcow2',
      io('write -P 2 3k 1k', 'write -z 8k 4k')
    ],
    companions: ['base.qcow2']
  },
  {
    name: 'case-43-subclusters-preallocated',
    title: 'preallocated clusters whose subclusters still read from the backing file',
    check: 0,
    steps: [
      ...base,
      'qemu-img create -q -f qcow2 -o extended_l2=on,preallocation=metadata -b base.qcow2 -F qcow2 img.qcow2',
      io('read -P 0x11 0 1M')
    ],
    companions: ['base.qcow2']
  },
  {
    name: 'case-44-subclusters-512',
    title: 'the smallest subclusters',
    check: 0,
    steps: [fresh('4M', 'extended_l2=on,cluster_size=16k'), io('write -P 1 512 512', 'write -P 2 1536 1024')]
  },
  {
    name: 'case-45-subclusters-shared',
    title: 'a write into subclusters shared with a snapshot',
    check: 0,
    steps: [fresh('1M', 'extended_l2=on'), io('write -P 1 0 8k'), ...snapshots('a'), io('write -P 2 2k 2k')],
    varies: dated
  },
  ...['metadata', 'falloc', 'full'].map((mode, index) => ({
    name: `case-${46 + index}-preallocation-${mode}`,
    title: `preallocation=${mode}`,
    check: 0,
    steps: [fresh('4M', `preallocation=${mode}`)]
  }))
]
