/** Losses in QEMU that a witness shows: what is lost, where in QEMU's sources, and what would keep it. */
import type { ClauseId } from './clauses/index.js'

/** What becomes of the data: it is gone, other bytes take its place, the program stops, or metadata is changed only. */
export type LossKind = 'lost' | 'exposed' | 'aborted' | 'changed'

/** A loss, and the script that shows it. */
export interface Loss {
  readonly kind: LossKind
  readonly title: string
  readonly clause: ClauseId
  /** A command of the script that shows it, which no other script of the clause has. */
  readonly command: string
  /** The versions of QEMU that it happens in, where not all of 7.2, 10 and 11 are. */
  readonly versions?: readonly ('7.2' | '10' | '11')[]
  /** The images, or the circumstances, in which it happens. */
  readonly when: string
  readonly lost: string
  /** Files and functions of QEMU, and what they do. */
  readonly source: string
  readonly fix: string
  /** What this package does instead. */
  readonly ours: string
}

/** The losses, by kind. */
export const losses: readonly Loss[] = [
  {
    kind: 'lost',
    title: 'A repair deletes the snapshots of a sound image',
    clause: 'CHK-14',
    command: 'qemu-img check -q -r leaks a.qcow2',
    when: 'qemu-img check -r on an image with snapshots whose header the open rewrites: with a consistent bitmap, an unknown autoclear bit, or a bitmaps extension without autoclear bit 0.',
    lost: 'All internal snapshots. The same run frees their clusters.',
    source:
      'block/qcow2.c, qcow2_do_open: with BDRV_O_CHECK it leaves nb_snapshots and snapshots_offset at 0, and qcow2_update_header, called there or through qcow2_load_dirty_bitmaps in block/qcow2-bitmap.c, writes these zeros.',
    fix: 'Take both fields from the header also with BDRV_O_CHECK, or rewrite the header only after qcow2_check_read_snapshot_table.',
    ours: 'A repair reads the snapshot table first, and keeps it.'
  },
  {
    kind: 'lost',
    title: 'A downgrade zeroes clusters that a snapshot shares',
    clause: 'AM-04',
    command: 'qemu-img convert -f qcow2 -l s -O raw a.qcow2 s.raw',
    when: 'qemu-img amend -o compat=0.10 on an image in which a cluster was zeroed after a snapshot was taken, with its host cluster kept.',
    lost: 'The bytes of that cluster in the snapshot. The entry gets COPIED at a refcount of 2, so that the next write to the disk changes the snapshot again (AM-07).',
    source:
      'block/qcow2-cluster.c, expand_zero_clusters_in_l1: it writes zeros to the host cluster of a zero entry, and decides about COPIED, by the refcount of the L2 table; that of the cluster is not looked at.',
    fix: 'Look at the refcount of the cluster. If it is above 1, allocate a cluster of zeros as for an entry without one, and drop the reference.',
    ours: 'The entry gets a cluster of its own, or becomes unallocated without a backing file.'
  },
  {
    kind: 'lost',
    title: 'A downgrade makes the compressed clusters of snapshots unreadable',
    clause: 'AM-03',
    command: 'qemu-img convert -f qcow2 -l s -O raw a.qcow2 o.raw',
    when: 'qemu-img amend -o compat=0.10 on an image of compression type zstd whose only compressed clusters are in snapshots.',
    lost: 'The compressed clusters of the snapshots read as EIO: the image says that they are deflate streams. Their bytes are kept.',
    source:
      'block/qcow2.c, qcow2_downgrade: it asks qcow2_has_compressed_clusters, which walks the active tree only, and then sets the compression type to zlib.',
    fix: 'Walk the L1 tables of the snapshots too, and refuse the downgrade.',
    ours: 'The downgrade is refused.'
  },
  {
    kind: 'lost',
    title: 'A compressed write overwrites guest data in a cluster that was freed',
    clause: 'CW-05',
    command: "qemu-io -r -c 'read -P 2 64k 64k' a.qcow2",
    when: 'A compressed cluster is discarded or overwritten, its host cluster is allocated again for guest data, and another compressed write that fits after the old payload follows, without an open between.',
    lost: 'A part of what the cluster holds now: guest data, also of a snapshot. Its refcount becomes 2, which a check reports as a wrong COPIED flag.',
    source:
      'block/qcow2-refcount.c, qcow2_alloc_bytes: it appends the payload at free_byte_offset, which update_refcount does not reset when the refcount of that cluster falls to 0.',
    fix: 'Set free_byte_offset to 0 in update_refcount when the refcount of its cluster becomes 0.',
    ours: 'The cursor ends when its cluster is freed.'
  },
  {
    kind: 'lost',
    title: 'A discard with discard-no-unref empties clusters of snapshots',
    clause: 'ZD-17',
    command: "qemu-io -r -c 'read -P 0 0 64k' a.qcow2",
    versions: ['10', '11'],
    when: 'With the options discard=unmap and discard-no-unref=on, a discard or a zero write with unmap of a cluster that a snapshot shares.',
    lost: 'The data of that cluster in the snapshot, which reads as zeros where the file system punches holes. A check finds nothing.',
    source:
      'block/qcow2-cluster.c, discard_in_l2_slice and zero_in_l2_slice: they pass the discard of a cluster whose reference they keep on to the file, whatever its refcount is.',
    fix: 'Pass the discard on only if the entry has COPIED.',
    ours: 'A discard punches a cluster only when its refcount becomes 0.'
  },
  {
    kind: 'lost',
    title: 'A crash in a downgrade frees clusters of zeros that are in use',
    clause: 'AM-04',
    command: "qemu-io -c 'write -P 7 64k 64k' a.qcow2",
    when: 'qemu-img amend -o compat=0.10 on an image with a backing file and zero clusters ends between the L2 tables and the refcounts, by a crash or a failing write, after which its exit code is 0.',
    lost: 'The zeros: the next write may take their cluster, since it has refcount 0. A check reports it.',
    source:
      'block/qcow2-cluster.c, expand_zero_clusters_in_l1: it makes the L2 table wait for the data, and not for the refcount blocks.',
    fix: 'Call qcow2_cache_set_dependency for the L2 table and the refcount blocks, and flush these before the L2 table of a snapshot is written.',
    ours: 'The refcounts are written and flushed before the entries.'
  },
  {
    kind: 'lost',
    title: 'A crash exposes clusters of a data file before they are written',
    clause: 'WR-08',
    command:
      "qemu-io -c 'write -P 5 0 4k' --image-opts driver=qcow2,file.filename=a.qcow2,data-file.driver=blkdebug,data-file.inject-error.0.event=none,data-file.inject-error.0.iotype=flush,data-file.image.driver=null-co,data-file.image.size=1M",
    when: 'A write to an unallocated cluster of an image with a backing file and an external data file ends before the flush that follows it, by a crash or because the data file cannot be flushed.',
    lost: 'What the rest of the cluster read as, which was copied from the backing file: it reads as what the data file held before, zeros or old bytes. The range of the write is neither old nor new. A check finds nothing.',
    source:
      'block/qcow2-cache.c, qcow2_cache_entry_flush: before it writes an L2 table that depends on a flush it flushes bs->file, and not the data file. qcow2_alloc_cluster_link_l2 in block/qcow2-cluster.c asks for that flush because of the copied bytes, which are in the data file.',
    fix: 'Flush the data file as well where depends_on_flush is set.',
    ours: 'The entry is written after a flush of both files.'
  },
  {
    kind: 'lost',
    title: 'A creation that fails deletes the data file of the user',
    clause: 'DATA-08',
    command: 'qemu-img create -q -f qcow2 -o data_file=d.raw,refcount_bits=3 a.qcow2 256k',
    when: 'qemu-img create -o data_file=FILE with a FILE that exists and an option that is refused.',
    lost: 'The file.',
    source:
      'block/qcow2.c, qcow2_co_create_opts: it creates and opens the data file before qcow2_co_create judges the options, and on failure deletes it, whether it was there before or not.',
    fix: 'Judge the options before the data file is opened, and delete only a file that this call has made.',
    ours: 'The options are judged first; a creation that fails leaves the file as it was.'
  },
  {
    kind: 'lost',
    title: 'A creation empties a data file that exists',
    clause: 'DATA-08',
    command: 'peek d.raw 0 2',
    when: 'qemu-img create -o data_file=FILE with a FILE that exists. The manual of qemu-img 10.0 says so.',
    lost: 'The contents of the file.',
    source:
      'block/qcow2.c, qcow2_co_create_opts: it creates the data file anew by bdrv_co_create_file, as it does the image.',
    fix: 'Refuse a data file that holds data, unless an option asks for it.',
    ours: 'A data file that holds data is refused.'
  },
  {
    kind: 'lost',
    title: 'A leak repair that fails marks a dirty image as clean',
    clause: 'INT-02',
    command: "qemu-io -c 'write -P 2 64k 64k' a.qcow2",
    when: 'qemu-img check -r leaks on an image with the dirty bit, in which a cluster in use has refcount 0, as a crash under lazy refcounts leaves it.',
    lost: 'The repair of the next open, which the dirty bit asks for. The next write may allocate a cluster that is in use.',
    source:
      'block/qcow2.c, qcow2_inactivate: it calls qcow2_mark_clean at close, also after qcow2_check_refcounts in block/qcow2-refcount.c has failed because the refcount structures need a rebuild.',
    fix: 'Clear the dirty bit at close only if this process has set it, or has repaired the refcounts.',
    ours: 'The bit stays until a repair leaves no corruption.'
  },
  {
    kind: 'lost',
    title: 'Growing writes a refcount table that QEMU does not open',
    clause: 'REF-06',
    command: 'qemu-img resize -q --preallocation=falloc a.qcow2 128k',
    when: 'The refcount table grows past 8 MiB: with clusters of 512 bytes and 16-bit refcounts once the file has 85 to 128 GiB, with 64-bit refcounts 21 to 32 GiB.',
    lost: 'The image. Its bytes are there, but QEMU refuses to open it, also for a repair.',
    source:
      'block/qcow2-refcount.c, qcow2_refcount_area: it compares the number of entries with QCOW_MAX_REFTABLE_SIZE, a number of bytes, with which qcow2_do_open in block/qcow2.c compares the bytes of the table.',
    fix: 'Compare the bytes of the new table, and fail with EFBIG before it is written.',
    ours: 'A command that needs a larger table is refused.'
  },
  {
    kind: 'lost',
    title: 'A leak repair frees the payload of a damaged compressed entry',
    clause: 'SUB-06',
    command: 'qemu-img check -q -r leaks a.qcow2',
    when: 'qemu-img check -r on a damaged image: with extended L2 entries, a compressed entry whose subcluster bitmap is not 0. Its data can be read.',
    lost: 'The payload of the entry, which the next write overwrites.',
    source:
      'block/qcow2-refcount.c, check_refcounts_l2: it reports the entry as a corruption, and skips the references to its payload, which compare_refcounts then takes for leaks.',
    fix: 'Count the references of the entry as well, since a read follows them.',
    ours: 'A repair frees nothing that an entry names.'
  },
  {
    kind: 'lost',
    title: 'A repair frees the clusters of a snapshot whose L1 offset is damaged',
    clause: 'CHK-15',
    command: 'poke a.qcow2 [64]+6 02',
    when: 'qemu-img check -r on a damaged image: the L1 offset of a snapshot is not aligned, or its L1 table is larger than 32 MiB.',
    lost: 'The snapshot: the clusters that only it has are freed and discarded, its tables among them.',
    source:
      'block/qcow2-refcount.c, calculate_refcounts: it reports the table as a corruption, and skips it; compare_refcounts then takes its clusters for leaks.',
    fix: 'Repair no leaks in a run that has skipped a table.',
    ours: 'A repair frees nothing while a table that may name clusters is not followed.'
  },
  {
    kind: 'lost',
    title: 'A NUL byte in the name of a bitmap loses all bitmaps',
    clause: 'BMP-17',
    command: 'qemu-img check a.qcow2',
    when: 'A writable open of an image with a bitmap whose name has a NUL byte, if the part before it needs fewer bytes, rounded up to 8. The document does not forbid such a name.',
    lost: 'All bitmaps: autoclear bit 0 is cleared, and the open fails.',
    source:
      'block/qcow2-bitmap.c: dir_entry_copy_name cuts the name, update_ext_header_and_dir_in_place clears the bit, and bitmap_list_store then refuses a directory of another size.',
    fix: 'Keep the length of a name beside its bytes, or refuse such a name in check_dir_entry, where a name that is too long is refused.',
    ours: 'A check reports the name, and writes keep it as it is.'
  },
  {
    kind: 'lost',
    title: 'A change of the backing file that fails loses all bitmaps',
    clause: 'CR-03',
    command: 'qemu-img bitmap --disable a.qcow2 b',
    when: 'qemu-img rebase -u -b NAME on an image with bitmaps, if NAME has no room in the first cluster.',
    lost: 'All bitmaps that were consistent: they stay marked as in use, and can only be removed.',
    source:
      'block/qcow2.c, qcow2_change_backing_file (qcow2_co_change_backing_file in 10.0): it keeps the new name although qcow2_update_header has failed, so that each later update of the header fails too, also that of qcow2_store_persistent_dirty_bitmaps at close.',
    fix: 'Restore the old name and format if qcow2_update_header fails.',
    ours: 'A command that is refused changes nothing.'
  },
  {
    kind: 'exposed',
    title: 'Growing turns VM state into guest data',
    clause: 'RS-08',
    command: 'qemu-img resize -q a.qcow2 513M',
    when: 'The active tree has VM state, and the disk grows past the range of its last L1 entry.',
    lost: 'The VM state, whose bytes the guest then reads at the end of its disk.',
    source:
      'block/qcow2.c, qcow2_co_truncate: it moves the index at which VM state starts, and leaves the L1 entries that were VM state.',
    fix: 'Discard the VM state of the active tree before the disk grows into it.',
    ours: 'The added range reads as zeros.'
  },
  {
    kind: 'exposed',
    title: 'Growing exposes the old tail of the last cluster',
    clause: 'RS-06',
    command: 'qemu-img resize -q --shrink a.qcow2 96k',
    when: 'The disk shrinks to a size inside a cluster with data, and grows again.',
    lost: 'Nothing. The guest reads bytes that it had before the disk shrank, where the added range should read as zeros.',
    source:
      'block/qcow2.c, qcow2_co_truncate: a shrink discards whole clusters, and a growth without a backing file does not zero the rest of the last one.',
    fix: 'Zero the tail of the last cluster when the disk shrinks or grows.',
    ours: 'The tail becomes zeros when the disk grows.'
  },
  {
    kind: 'exposed',
    title: 'A compressed write that fails leaves an entry for a payload that was not written',
    clause: 'WR-11',
    command: "qemu-io -r -c 'read -P 9 64k 64k' a.qcow2",
    when: 'The payload of a compressed write cannot be written, as on a full disk.',
    lost: 'What the range read as before: the backing file, or zeros. It reads as an old payload that is there, also that of another guest cluster, or, in a cluster that was not used before, cannot be read. A check finds nothing.',
    source:
      'block/qcow2.c, qcow2_co_pwritev_compressed_task: qcow2_alloc_compressed_cluster_offset writes the L2 entry before the payload is written, and a failure does not take it back.',
    fix: 'Write the payload first and the entry after it, as for other clusters, or restore the old entry on failure.',
    ours: 'The entry is written once the payload is.'
  },
  {
    kind: 'exposed',
    title: 'Growing exposes bytes after the end of a data file',
    clause: 'DATA-08',
    command: 'fill d.raw 64k 192k 7',
    when: 'An external data file is longer than the disk, and the disk grows with data_file_raw or with --preallocation.',
    lost: 'Nothing. Bytes after the old end become guest data.',
    source:
      'block/qcow2.c, qcow2_co_truncate: with data_file_raw or preallocation it calls preallocate_co, which makes the data file longer where it is too short, and does not set its length, as it does otherwise.',
    fix: 'Truncate the data file to the new size in this case too, after zeroing the added range.',
    ours: 'The bytes that the disk gains become zeros.'
  },
  {
    kind: 'aborted',
    title: 'A write or discard through an L1 entry of COPIED alone aborts',
    clause: 'L1-06',
    command: "qemu-io -c 'write 0 64k' a.qcow2",
    when: 'A damaged image with the L1 entry 0x8000000000000000. A check reports it as a corruption.',
    lost: 'The process ends.',
    source:
      'block/qcow2-cluster.c, get_cluster_table: with COPIED set it loads the L2 table at offset 0, and qcow2_cache_do_get in block/qcow2-cache.c asserts that the offset is not 0.',
    fix: 'Allocate an L2 table if the offset is 0, whatever COPIED says, or report a corruption.',
    ours: 'The write allocates an L2 table.'
  },
  {
    kind: 'aborted',
    title: 'Growing with preallocation aborts where a cluster past the end of the file has a refcount',
    clause: 'RS-07',
    command: 'poke a.qcow2 [[48]]+14 0001',
    when: 'qemu-img resize --preallocation=falloc or full on an image with a leaked cluster past the end of the file, among those that the growth takes. A check does not find such a leak (CHK-05).',
    lost: 'The process ends in the middle of the resize.',
    source:
      'block/qcow2.c, qcow2_co_truncate: qcow2_alloc_clusters_at stops at the first cluster that is not free, and an assertion demands all of them.',
    fix: 'Place the new clusters after the last one with a refcount, also where that is past the end of the file, or fail.',
    ours: 'The new clusters are allocated where there are free ones.'
  },
  {
    kind: 'changed',
    title: 'A downgrade turns unknown header fields into an extension',
    clause: 'HDR-05',
    command: 'poke a.qcow2 112 12345678 00000008 01234567 89abcdef 00000000 00000000',
    when: 'qemu-img amend -o compat=0.10 on an image with a header_length above 112, which a later version of the format may have.',
    lost: 'Nothing by itself. The unknown fields are written at byte 72, where a reader of version 2 takes them for header extensions.',
    source: 'block/qcow2.c, qcow2_update_header: it writes unknown_header_fields after the header of either version.',
    fix: 'Write unknown_header_fields in version 3 only.',
    ours: 'A downgrade drops the fields.'
  },
  {
    kind: 'changed',
    title: 'A snapshot that fails leaves refcounts raised',
    clause: 'REF-07',
    command: 'peek a.qcow2 [[48]] 4',
    when: 'qemu-img snapshot -c while a cluster of the disk has the greatest refcount of its width, as with refcount_bits=2 after two snapshots.',
    lost: 'Nothing. The clusters that were counted before that one have a refcount that is 1 too high, and the copy of the L1 table leaks, until a repair.',
    source:
      'block/qcow2-refcount.c, qcow2_update_snapshot_refcount: a failure leaves the refcounts that it has raised; block/qcow2-snapshot.c, qcow2_snapshot_create: it does not free the copy of the L1 table.',
    fix: 'Lower these refcounts and free the copy on failure.',
    ours: 'A snapshot that is refused changes no refcount.'
  },
  {
    kind: 'changed',
    title: 'An amendment that fails is half done',
    clause: 'AM-01',
    command: 'qemu-img amend -o compat=1.1,refcount_bits=1 a.qcow2',
    when: 'qemu-img amend with several options, of which a later one is refused.',
    lost: 'Nothing. The image has another version than before, though the command reports a failure.',
    source:
      'block/qcow2.c, qcow2_amend_options: it carries out one step after the other, and each step judges its own options.',
    fix: 'Judge all options before the first step.',
    ours: 'A command that is refused changes nothing.'
  }
]
