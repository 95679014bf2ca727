meta:
  id: qcow2
  title: qcow2 disk image, versions 2 and 3
  application: QEMU
  file-extension:
    - qcow2
    - qcow
  xref:
    forensicswiki: QCOW_Image_Format
    justsolve: QCOW2
    mime: application/x-qemu-disk
  license: MIT
  ks-version: 0.9
  endian: be
doc: |
  Generated from the field tables of qcow2-spec by `npm run ksy`.
  The header of an image names its tables: the refcounts of all host
  clusters, and the L1 table, whose entries lead to L2 tables, whose
  entries lead to the clusters of the guest disk. Snapshots have L1
  tables of their own; dirty bitmaps are in a directory that a
  header extension names. -clause is the rule of qcow2-spec that
  states a field. No field of 64 bits is read in one piece but sizes
  and offsets, so that runtimes without 64-bit integers can parse
  every entry of a table.
doc-ref: https://gitlab.com/qemu-project/qemu/-/blob/master/docs/interop/qcow2.rst
seq:
  - id: header
    type: header
instances:
  extensions_end:
    value: "header.backing_file_offset != 0 ? header.backing_file_offset : header.cluster_size"
    doc: The end of the header extension area
  extension_area:
    pos: header.length
    size: extensions_end - header.length
    type: extension_area
    if: header.length < extensions_end
  backing_file:
    pos: header.backing_file_offset
    size: header.backing_file_size
    if: header.backing_file_offset != 0
    doc: Name of the backing file, not NUL terminated
  refcount_table:
    pos: header.refcount_table_offset
    type: refcount_table_entry
    repeat: expr
    repeat-expr: header.refcount_table_clusters * header.cluster_size / 8
  l1_table:
    pos: header.l1_table_offset
    type: l1_table_entry
    repeat: expr
    repeat-expr: header.l1_size
  snapshots:
    pos: header.snapshots_offset
    type: snapshot(_index == header.nb_snapshots - 1)
    repeat: expr
    repeat-expr: header.nb_snapshots
types:
  header:
    seq:
      - id: magic
        contents:
          - 81
          - 70
          - 73
          - 251
        doc: The bytes 51 46 49 FB
        -clause: OPEN-01
      - id: version
        type: u4
        doc: 2 or 3
        -clause: OPEN-02
      - id: backing_file_offset
        type: u8
        doc: "Host offset of the backing file name; 0: no backing file"
        -clause: BACK-01
      - id: backing_file_size
        type: u4
        doc: Length of the backing file name in bytes, at most 1023
        -clause: BACK-01
      - id: cluster_bits
        type: u4
        doc: A cluster is 1 << cluster_bits bytes
        -clause: OPEN-03
      - id: size
        type: u8
        doc: Size of the guest disk in bytes
        -clause: HDR-08
      - id: crypt_method
        type: u4
        doc: 0 none, 1 AES, 2 LUKS
        -clause: LUKS-02
      - id: l1_size
        type: u4
        doc: Entries of the active L1 table
        -clause: HDR-09
      - id: l1_table_offset
        type: u8
        doc: Host offset of the active L1 table, cluster aligned
        -clause: OPEN-20
      - id: refcount_table_offset
        type: u8
        doc: Host offset of the refcount table, cluster aligned
        -clause: OPEN-16
      - id: refcount_table_clusters
        type: u4
        doc: Clusters of the refcount table
        -clause: REF-06
      - id: nb_snapshots
        type: u4
        doc: Entries of the snapshot table
        -clause: SNAP-01
      - id: snapshots_offset
        type: u8
        doc: Host offset of the snapshot table, cluster aligned
        -clause: SNAP-11
      - id: incompatible_features
        type: incompatible_features
        if: version >= 3
        doc: Bits a reader must know
        -clause: FEAT-01
      - id: compatible_features
        type: compatible_features
        if: version >= 3
        doc: Bits a reader may ignore
        -clause: FEAT-02
      - id: autoclear_features
        type: autoclear_features
        if: version >= 3
        doc: Bits a writer must know or clear
        -clause: FEAT-03
      - id: refcount_order
        type: u4
        if: version >= 3
        doc: A refcount is 1 << refcount_order bits
        -clause: REF-02
      - id: header_length
        type: u4
        if: version >= 3
        doc: Length of the header in bytes; the extensions follow
        -clause: HDR-02
      - id: additional_fields
        type: additional_fields
        size: header_length - 104
        if: version >= 3 and header_length > 104 and header_length <= cluster_size
    instances:
      cluster_size:
        value: 1 << cluster_bits
        doc: Bytes of a cluster
      length:
        value: "version >= 3 ? header_length : 72"
        doc: Bytes of the header
      refcount_bits:
        value: "version >= 3 ? 1 << refcount_order : 16"
        doc: Bits of a refcount
      is_extended_l2:
        value: "version >= 3 ? incompatible_features.extended_l2 : false"
        doc: Whether an L2 entry has 16 bytes
      l2_entry_size:
        value: "is_extended_l2 ? 16 : 8"
        doc: Bytes of an L2 entry
  incompatible_features:
    doc: Bits a reader must know
    seq:
      - id: reserved_32_63
        type: b32
      - id: reserved_5_31
        type: b27
      - id: extended_l2
        type: b1
        doc: L2 entries are 128 bits wide
        -clause: SUB-01
      - id: compression_type
        type: b1
        doc: The compression_type field is not zero
        -clause: HDR-04
      - id: external_data_file
        type: b1
        doc: Guest data lives in another file
        -clause: DATA-01
      - id: corrupt
        type: b1
        doc: "Any structure may be wrong: do not write"
        -clause: FEAT-05
      - id: dirty
        type: b1
        doc: |
          Refcounts may be wrong: rebuild them before writing; reading is
          safe
        -clause: FEAT-04
  compatible_features:
    doc: Bits a reader may ignore
    seq:
      - id: reserved_32_63
        type: b32
      - id: reserved_1_31
        type: b31
      - id: lazy_refcounts
        type: b1
        doc: Refcount writes may be postponed under the dirty bit
        -clause: INT-01
  autoclear_features:
    doc: Bits a writer must know or clear
    seq:
      - id: reserved_32_63
        type: b32
      - id: reserved_2_31
        type: b30
      - id: raw_external_data
        type: b1
        doc: The external data file is the raw guest disk
        -clause: FEAT-06
      - id: bitmaps
        type: b1
        doc: The bitmaps extension is consistent
        -clause: BMP-11
  additional_fields:
    seq:
      - id: compression_type
        type: u1
        if: _io.size >= 1
        doc: 0 deflate, 1 zstd
        -clause: HDR-04
      - id: padding
        size: 7
        if: _io.size >= 8
        doc: Zeros up to a multiple of 8
        -clause: HDR-07
      - id: unknown
        size-eos: true
        doc: Fields of later versions of the format
  extension_area:
    seq:
      - id: extensions
        type: extension
        repeat: until
        repeat-until: _.type == extension_type::end or _io.eof
  extension:
    seq:
      - id: type
        type: u4
        enum: extension_type
        doc: What the data means; 0 ends the area
        -clause: EXT-01
      - id: length
        type: u4
        doc: Bytes of data
        -clause: EXT-01
      - id: data
        size: length
        doc: The extension itself
        -clause: EXT-03
        type:
          switch-on: type
          cases:
            extension_type::full_disk_encryption_pointer: full_disk_encryption_pointer
            extension_type::feature_name_table: feature_name_table
            extension_type::bitmaps: bitmaps
      - id: padding
        size: "_io.size - _io.pos < to_eight ? _io.size - _io.pos : to_eight"
    instances:
      to_eight:
        value: (8 - ((length) & 7)) & 7
        doc: Bytes up to a multiple of 8
  full_disk_encryption_pointer:
    seq:
      - id: offset
        type: u8
        doc: Host offset, cluster aligned
        -clause: LUKS-02
      - id: length
        type: u8
        doc: Bytes of the LUKS header and its key material
        -clause: LUKS-02
  feature_name_table:
    seq:
      - id: names
        type: feature_name
        repeat: expr
        repeat-expr: _io.size / 48
  bitmaps:
    seq:
      - id: nb_bitmaps
        type: u4
        doc: Entries of the bitmap directory
        -clause: BMP-01
      - id: reserved
        type: u4
        doc: Zero
        -clause: BMP-01
      - id: bitmap_directory_size
        type: u8
        doc: Bytes of the bitmap directory
        -clause: BMP-01
      - id: bitmap_directory_offset
        type: u8
        doc: Host offset, cluster aligned
        -clause: BMP-01
    instances:
      directory:
        io: _root._io
        pos: bitmap_directory_offset
        size: bitmap_directory_size
        type: bitmap_directory
  feature_name:
    seq:
      - id: type
        type: u1
        doc: 0 incompatible, 1 compatible, 2 autoclear
        -clause: EXT-07
      - id: bit
        type: u1
        doc: Bit number
        -clause: EXT-07
      - id: name
        size: 46
        doc: Padded with zeros
        -clause: EXT-07
  refcount_table_entry:
    seq:
      - id: refcount_block_offset_high
        type: b32
        doc: Bits 32 to 63
      - id: refcount_block_offset_low
        type: b23
        doc: Bits 9 to 31
      - id: reserved_0_8
        type: b9
    instances:
      refcount_block_offset:
        value: (refcount_block_offset_high * 4294967296 + refcount_block_offset_low * 512).as<u8>
        doc: "Host offset of the block, cluster aligned; 0: all refcounts are 0"
        -clause: REF-04
      block:
        io: _root._io
        pos: refcount_block_offset
        size: _root.header.cluster_size
        type:
          switch-on: _root.header.refcount_bits
          cases:
            "1": refcounts_1_bit
            "2": refcounts_2_bit
            "4": refcounts_4_bit
            "8": refcounts_8_bit
            "16": refcounts_16_bit
            "32": refcounts_32_bit
            "64": refcounts_64_bit
        if: refcount_block_offset != 0
  refcounts_1_bit:
    seq:
      - id: refcounts
        type: b1le
        repeat: eos
  refcounts_2_bit:
    seq:
      - id: refcounts
        type: b2le
        repeat: eos
  refcounts_4_bit:
    seq:
      - id: refcounts
        type: b4le
        repeat: eos
  refcounts_8_bit:
    seq:
      - id: refcounts
        type: u1
        repeat: eos
  refcounts_16_bit:
    seq:
      - id: refcounts
        type: u2
        repeat: eos
  refcounts_32_bit:
    seq:
      - id: refcounts
        type: u4
        repeat: eos
  refcounts_64_bit:
    seq:
      - id: refcounts
        type: u8
        repeat: eos
  l1_table_entry:
    seq:
      - id: copied
        type: b1
        doc: |
          The refcount of the L2 table is exactly one; meaningful in the
          active L1 table only
        -clause: L1-01
      - id: reserved_56_62
        type: b7
      - id: l2_table_offset_high
        type: b24
        doc: Bits 32 to 55
      - id: l2_table_offset_low
        type: b23
        doc: Bits 9 to 31
      - id: reserved_0_8
        type: b9
    instances:
      l2_table_offset:
        value: (l2_table_offset_high * 4294967296 + l2_table_offset_low * 512).as<u8>
        doc: "Host offset of the L2 table, cluster aligned; 0: unallocated"
        -clause: L1-01
      l2_table:
        io: _root._io
        pos: l2_table_offset
        type: l2_entry
        repeat: expr
        repeat-expr: _root.header.cluster_size / _root.header.l2_entry_size
        if: l2_table_offset != 0
        size: _root.header.l2_entry_size
  l2_entry:
    doc: |
      A cluster of the guest disk: standard, unless its compressed flag
      is set
    seq: []
    instances:
      is_compressed:
        value: compressed.compressed
      standard:
        pos: 0
        type: standard_cluster
        doc: To be used unless is_compressed
      compressed:
        pos: 0
        type: compressed_cluster
        doc: To be used if is_compressed
      subclusters:
        pos: 8
        type: subcluster_bitmap
        if: _root.header.is_extended_l2
  standard_cluster:
    seq:
      - id: copied
        type: b1
        doc: |
          The refcount of the cluster is exactly one; meaningful in active
          tables only
        -clause: L2-04
      - id: reserved_56_62
        type: b7
      - id: host_cluster_offset_high
        type: b24
        doc: Bits 32 to 55
      - id: host_cluster_offset_low
        type: b23
        doc: Bits 9 to 31
      - id: reserved_1_8
        type: b8
      - id: zero
        type: b1
        doc: Reads as zeros; version 3 without extended L2 only
        -clause: L2-02
    instances:
      host_cluster_offset:
        value: (host_cluster_offset_high * 4294967296 + host_cluster_offset_low * 512).as<u8>
        doc: Host offset of the cluster, cluster aligned
        -clause: L2-02
  compressed_cluster:
    doc: |
      The host offset has x = 70 - cluster_bits bits, the number of
      sectors the others
    seq:
      - id: copied
        type: b1
        doc: Never set
        -clause: CMP-01
      - id: compressed
        type: b1
        doc: Set
        -clause: L2-01
      - id: payload_high
        type: b30
        doc: Bits 32 to 61
      - id: payload_low
        type: b32
        doc: Bits 0 to 31
    instances:
      high_bits:
        value: 70 - _root.header.cluster_bits - 32
        doc: Bits of the host offset in payload_high
      host_offset:
        value: ((payload_high & ((1 << high_bits) - 1)) * 4294967296 + payload_low).as<u8>
        doc: Host offset of the payload in bytes, not aligned
        -clause: CMP-01
      additional_sectors:
        value: payload_high >> high_bits
        doc: Sectors of 512 bytes after the one that holds the first byte
        -clause: CMP-01
  subcluster_bitmap:
    doc: Bit x of each half is about subcluster x
    seq:
      - id: zeros
        type: b32
        doc: Subclusters that read as zeros
        -clause: SUB-02
      - id: allocated
        type: b32
        doc: Subclusters whose data is in the host cluster
        -clause: SUB-02
  snapshot:
    params:
      - id: is_last
        type: bool
        doc: The last entry of the table is not padded
    seq:
      - id: l1_table_offset
        type: u8
        doc: Host offset of the snapshot's L1 table, cluster aligned
        -clause: SNAP-01
      - id: l1_size
        type: u4
        doc: Entries of the snapshot's L1 table
        -clause: SNAP-01
      - id: id_str_size
        type: u2
        doc: Bytes of the unique id
        -clause: SNAP-01
      - id: name_size
        type: u2
        doc: Bytes of the name
        -clause: SNAP-01
      - id: date_sec
        type: u4
        doc: Time of the snapshot in seconds since the epoch
        -clause: SNAP-01
      - id: date_nsec
        type: u4
        doc: Nanoseconds of that second
        -clause: SNAP-01
      - id: vm_clock_nsec
        type: u8
        doc: Run time of the guest in nanoseconds
        -clause: SNAP-01
      - id: vm_state_size
        type: u4
        doc: |
          Bytes of the VM state, unless the extra data says otherwise; 0:
          none
        -clause: SNAP-01
      - id: extra_data_size
        type: u4
        doc: Bytes of the extra data
        -clause: SNAP-01
      - id: extra_data
        size: extra_data_size
        doc: Known fields and an unknown tail
        -clause: SNAP-01
        type: snapshot_extra_data
      - id: id_str
        size: id_str_size
        doc: Unique id, not NUL terminated
        -clause: SNAP-01
      - id: name
        size: name_size
        doc: Name, not NUL terminated, may be empty
        -clause: SNAP-01
      - id: padding
        size: (8 - ((extra_data_size + id_str_size + name_size) & 7)) & 7
        if: not is_last
    instances:
      l1_table:
        io: _root._io
        pos: l1_table_offset
        type: l1_table_entry
        repeat: expr
        repeat-expr: l1_size
        if: l1_table_offset != 0
  snapshot_extra_data:
    seq:
      - id: vm_state_size_large
        type: u8
        if: _io.size >= 8
        doc: Bytes of the VM state; replaces the 32-bit field
        -clause: SNAP-01
      - id: disk_size
        type: u8
        if: _io.size >= 16
        doc: Size of the guest disk in bytes when the snapshot was taken
        -clause: SNAP-01
      - id: icount
        type: u8
        if: _io.size >= 24
        doc: "Guest instructions executed; all ones: none"
        -clause: SNAP-01
      - id: unknown
        size-eos: true
        doc: Fields of later versions of the format
  bitmap_directory:
    seq:
      - id: bitmaps
        type: bitmap
        repeat: eos
  bitmap:
    seq:
      - id: bitmap_table_offset
        type: u8
        doc: Host offset of the bitmap table, cluster aligned
        -clause: BMP-02
      - id: bitmap_table_size
        type: u4
        doc: Entries of the bitmap table
        -clause: BMP-02
      - id: flags
        type: bitmap_flags
        doc: In_use, auto, extra_data_compatible
        -clause: BMP-02
      - id: type
        type: u1
        doc: "1: dirty tracking bitmap"
        -clause: BMP-02
      - id: granularity_bits
        type: u1
        doc: A bit covers 1 << granularity_bits guest bytes
        -clause: BMP-02
      - id: name_size
        type: u2
        doc: Bytes of the name, at least 1
        -clause: BMP-02
      - id: extra_data_size
        type: u4
        doc: Bytes of the extra data
        -clause: BMP-02
      - id: extra_data
        size: extra_data_size
        doc: Never refers to clusters
        -clause: BMP-02
      - id: name
        size: name_size
        doc: Unique, not NUL terminated
        -clause: BMP-02
      - id: padding
        size: (8 - ((extra_data_size + name_size) & 7)) & 7
    instances:
      table:
        io: _root._io
        pos: bitmap_table_offset
        type: bitmap_table_entry
        repeat: expr
        repeat-expr: bitmap_table_size
        if: bitmap_table_offset != 0
  bitmap_flags:
    doc: In_use, auto, extra_data_compatible
    seq:
      - id: reserved_3_31
        type: b29
      - id: extra_data_compatible
        type: b1
        doc: Usable even by those who do not know the extra data
        -clause: BMP-03
      - id: auto
        type: b1
        doc: "Enabled: records every change of the guest disk"
        -clause: BMP-10
      - id: in_use
        type: b1
        doc: "Not saved properly: the contents may be stale"
        -clause: BMP-09
  bitmap_table_entry:
    seq:
      - id: reserved_56_63
        type: b8
      - id: cluster_offset_high
        type: b24
        doc: Bits 32 to 55
      - id: cluster_offset_low
        type: b23
        doc: Bits 9 to 31
      - id: reserved_1_8
        type: b8
      - id: all_ones
        type: b1
        doc: "Without a cluster: all bits are 1, else all are 0"
        -clause: BMP-05
    instances:
      cluster_offset:
        value: (cluster_offset_high * 4294967296 + cluster_offset_low * 512).as<u8>
        doc: "Host offset of a cluster of bits, cluster aligned; 0: none"
        -clause: BMP-05
      bits:
        io: _root._io
        pos: cluster_offset
        size: _root.header.cluster_size
        if: cluster_offset != 0
        doc: Bit i & 7 of byte i >> 3 is bit i of this part of the bitmap
enums:
  extension_type:
    "0": end
    "0xe2792aca": backing_file_format
    "0x44415441": external_data_file_name
    "0x0537be77": full_disk_encryption_pointer
    "0x6803f857": feature_name_table
    "0x23852875": bitmaps
