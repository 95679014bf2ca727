/** QEMU's messages on the images of the corpus: the clause that each is about, and what can be done. */
import { loadExpect, names } from '../../../corpus/load.js'
import { clauses, type ClauseId } from '../../../spec/index.js'
import { vectors } from './sources.js'

/** A message of qemu-img, with `…` for what differs from image to image. */
export interface Message {
  readonly text: string
  readonly clause: ClauseId
  /** The images of the corpus that cause it. */
  readonly images: readonly { readonly name: string; readonly title: string }[]
}

/** A line of qemu-img without its program, file, numbers and names. */
const general = (line: string): string =>
  line
    .replace(/^qemu-img: /, '')
    .replace(/^Could not open '[^']*': /, '')
    .replace(/; further non-fatal corruption events will be suppressed$/, '')
    .replaceAll(/'[^']*'/g, "'…'")
    .replaceAll(/\b(0x[0-9a-f]+|[0-9a-f]{12,}|\d+(\^\d+)?)\b/g, '…')

/** Each image of the corpus that is a vector by itself; its first clause is the one that it is about. */
const plain = new Map(
  vectors.flatMap((vector) => {
    const file = vector.files['img.qcow2']
    return file === undefined || file.edits !== undefined
      ? []
      : [
          [
            file.packed
              .split('/')
              .at(-1)
              ?.replace(/\.qcow2\.gz$/, '') ?? '',
            vector
          ] as const
        ]
  })
)

/** Every message, in alphabetical order. A text that several clauses cause has a row for each. */
export const messages = (): readonly Message[] => {
  const found = new Map<string, Message>()
  for (const name of names().filter((each) => each.startsWith('broken-'))) {
    const vector = plain.get(name)
    const [clause] = vector?.clauses ?? []
    if (vector === undefined || clause === undefined) continue
    const { info, check } = loadExpect(name)
    const lines = `${info.stderr}\n${check.stderr}`.split('\n').map((line) => general(line.trim()))
    for (const text of new Set(lines.filter((line) => line !== '' && line !== 'Check failed'))) {
      const key = `${text} ${clause}`
      const images = found.get(key)?.images ?? []
      found.set(key, { text, clause, images: [...images, { name, title: vector.title }] })
    }
  }
  return [...found.values()].sort((a, b) => a.text.localeCompare(b.text, 'en'))
}

/** What to do about an image with a message, by the kind of the message. */
export const remedy = ({ text, clause }: Message): string => {
  if (clause === 'OPEN-01') return 'It is no qcow2 image. `qcow2 info` names what the file is, as far as it is known.'
  if (clause === 'OPEN-26')
    return 'The image needs its data file: put it where the image names it, or name it by `--image-opts driver=qcow2,file.filename=IMAGE,data-file.filename=FILE`.'
  if (text.startsWith('Leaked'))
    return 'Nothing is lost: the cluster is merely not free. `qemu-img check -r leaks` or `qcow2 check -r leaks` frees it.'
  if (/^ERROR (cluster|OFLAG|refcount)/.test(text))
    return 'Do not write to the image. Copy it, and run `qcow2 check -r all` on the copy, which sets refcounts and flags from the references; compare the disks before you use it.'
  if (text.startsWith('ERROR') || text.includes('corrupt'))
    return 'Do not write to the image. `qcow2 check` names the entry and its byte; take what is readable with `qemu-img convert` or from a backup. `qcow2 check -r all` corrects what follows from references, on a copy.'
  if (clauses[clause].source === 'qemu')
    return 'It is a limit of QEMU. `qcow2 explain` shows the field; another program may open the image.'
  return 'The image is not opened. `qcow2 info` shows it as far as it decodes; in the output of `qcow2 dump` the field can be corrected, and `qcow2 assemble` makes an image of it. Work on a copy.'
}
