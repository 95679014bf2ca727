/** Flags of vectors, each explained once. */
export const flags = {
  single: 'The image uses or breaks one rule, and is sound otherwise.',
  corpus: 'The image was made by qemu-img, qemu-io and edits of bytes; the corpus has its recipe.',
  changed: 'A sound image of which one field or two were changed.',
  limit: 'A limit of QEMU, not of the text of the format.',
  qemu: 'The rule is one of QEMU, and the text of the format does not state it.',
  encrypted: 'The disk is encrypted: without its key it is opened and mapped, and not read.',
  large: 'The disk is longer than 16 MiB: it is opened and mapped, and not read.',
  'versions-differ': 'The QEMUs differ.'
} as const

export type Flag = keyof typeof flags
