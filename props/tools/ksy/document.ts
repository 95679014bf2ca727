/** The Kaitai Struct description of qcow2, as the text of a .ksy file. */
import { stringify } from 'yaml'
import { docOf } from './attributes.js'
import { extensionEnum, types } from './types.js'

/** The area ends before the backing file name, or with the first cluster. */
const area = 'header.backing_file_offset != 0 ? header.backing_file_offset : header.cluster_size'

const description = () => ({
  meta: {
    id: 'qcow2',
    title: 'qcow2 disk image, versions 2 and 3',
    application: 'QEMU',
    'file-extension': ['qcow2', 'qcow'],
    xref: {
      forensicswiki: 'QCOW_Image_Format',
      justsolve: 'QCOW2',
      mime: 'application/x-qemu-disk'
    },
    license: 'MIT',
    'ks-version': 0.9,
    endian: 'be'
  },
  doc: docOf(
    'generated from the field tables of qcow2-spec by `npm run ksy`. The header of an image names its tables: the ' +
      'refcounts of all host clusters, and the L1 table, whose entries lead to L2 tables, whose entries lead to the ' +
      'clusters of the guest disk. Snapshots have L1 tables of their own; dirty bitmaps are in a directory that a header ' +
      'extension names. -clause is the rule of qcow2-spec that states a field. No field of 64 bits is read in one piece ' +
      'but sizes and offsets, so that runtimes without 64-bit integers can parse every entry of a table.'
  ),
  'doc-ref': 'https://gitlab.com/qemu-project/qemu/-/blob/master/docs/interop/qcow2.rst',
  seq: [{ id: 'header', type: 'header' }],
  instances: {
    extensions_end: { value: area, doc: 'The end of the header extension area' },
    extension_area: {
      pos: 'header.length',
      size: 'extensions_end - header.length',
      type: 'extension_area',
      if: 'header.length < extensions_end'
    },
    backing_file: {
      pos: 'header.backing_file_offset',
      size: 'header.backing_file_size',
      if: 'header.backing_file_offset != 0',
      doc: 'Name of the backing file, not NUL terminated'
    },
    refcount_table: {
      pos: 'header.refcount_table_offset',
      type: 'refcount_table_entry',
      repeat: 'expr',
      'repeat-expr': 'header.refcount_table_clusters * header.cluster_size / 8'
    },
    l1_table: {
      pos: 'header.l1_table_offset',
      type: 'l1_table_entry',
      repeat: 'expr',
      'repeat-expr': 'header.l1_size'
    },
    snapshots: {
      pos: 'header.snapshots_offset',
      type: 'snapshot(_index == header.nb_snapshots - 1)',
      repeat: 'expr',
      'repeat-expr': 'header.nb_snapshots'
    }
  },
  types: types(),
  enums: { extension_type: extensionEnum }
})

/** The text of qcow2.ksy. */
export const ksyDocument = (): string => stringify(description(), { lineWidth: 0 })
