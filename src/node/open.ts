/** Opening a chain: the image, its data file and its backing files, as far as their names may be followed. */
import { basename, dirname, relative, resolve } from 'node:path'
import { realpathSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { fromText, label, equal } from '../bytes/octets.js'
import type { Read } from '../bytes/plan.js'
import type { Chain, Layer } from '../image/chain.js'
import { activeDisk, snapshotDisk } from '../image/disk.js'
import { lastExtension, type Metadata, readMetadata, refusal } from '../image/metadata.js'
import { fail, refusalLine, runOn } from './command.js'
import { dataFileOf } from './data-file.js'
import { openSource, reason, type SourceFile } from './file.js'

/** A chain whose files are open. */
export interface OpenChain {
  readonly chain: Chain
  readonly read: (request: Read) => Uint8Array
  /** The names of the layers' files. */
  readonly names: readonly string[]
  readonly close: () => void
}

/** What may be followed, and what is opened. */
export interface OpenOptions {
  /** Folders, beside the image's own, whose files may be opened as backing files. */
  readonly allow: readonly string[]
  /** A snapshot by id or name, in place of the active disk. @see SNAP-10 */
  readonly snapshot?: string
}

/** Most layers of a chain. */
const maxDepth = 64

interface Files {
  readonly image: SourceFile
  readonly data?: SourceFile
}

/** Backing file formats that are read. A format that is not named is never guessed. @see BACK-05 */
const formatOf = (m: Metadata): E.Either<string, 'qcow2' | 'raw'> => {
  const stored = lastExtension(m.extensions, 'BackingFormat')
  const format = stored === undefined ? '' : label(stored.data)
  if (format === 'qcow2' || format === 'raw') return E.right(format)
  return E.left(
    format === '' ? 'its format is not named, and is not guessed [BACK-05]' : `its format '${format}' is not known`
  )
}

const inside = (folder: string, path: string): boolean => !relative(folder, path).startsWith('..')

/** The path of a backing file, if its name is a plain one and it lies where it may. @see BACK-04 */
const backingPath = (image: string, name: string, allow: readonly string[]): E.Either<string, string> => {
  if (/^[^/]*:/.test(name)) return E.left('its name is not that of a file')
  const path = resolve(dirname(image), name)
  const folders = [dirname(resolve(image)), ...allow.map((f) => resolve(f))]
  return folders.some((folder) => inside(folder, path))
    ? E.right(path)
    : E.left(`it lies outside the image's folder; --allow ${dirname(path)} lets it be opened`)
}

const snapshotOf = (m: Metadata, wanted: string) => {
  const text = fromText(wanted)
  return m.snapshots.find((s) => equal(s.id, text)) ?? m.snapshots.find((s) => equal(s.name, text))
}

interface Step {
  readonly layer: Layer
  readonly files: Files
  /** The backing file's name and format. */
  readonly next?: { readonly name: string; readonly format: 'qcow2' | 'raw'; readonly path: string }
}

const rawStep = (image: SourceFile): Step => ({
  layer: { _tag: 'Raw', size: image.length },
  files: { image }
})

const withData = (name: string, m: Metadata, image: SourceFile): E.Either<string, Files> => {
  if (!m.header.incompatibleFeatures.externalDataFile) return E.right({ image })
  return E.map((data: SourceFile): Files => ({ image, data }))(E.chain(openSource)(dataFileOf(name, m)))
}

const imageStep = (image: SourceFile, options: OpenOptions, top: boolean): E.Either<string, Step> => {
  const read = E.flatten(runOn(image, readMetadata()))
  if (E.isLeft(read)) return E.left(refusalLine(image.name, read.left))
  const m = read.right
  const refused = refusal(m.issues)
  if (refused !== undefined || m.geometry === undefined)
    return E.left(refusalLine(image.name, refused === undefined ? m.issues : [refused]))
  const wanted = top ? options.snapshot : undefined
  const snapshot = wanted === undefined ? undefined : snapshotOf(m, wanted)
  if (wanted !== undefined && snapshot === undefined) return E.left(`'${image.name}' has no snapshot '${wanted}'`)
  const disk = snapshot === undefined ? E.right(activeDisk(m, m.geometry)) : snapshotDisk(m, m.geometry, snapshot)
  if (E.isLeft(disk)) return E.left(refusalLine(image.name, disk.left))
  const files = withData(image.name, m, image)
  if (E.isLeft(files)) return E.left(`Could not open '${image.name}': ${files.left}`)
  const step: Step = { layer: { _tag: 'Image', disk: disk.right }, files: files.right }
  if (m.backingName === undefined) return E.right(step)
  const name = label(m.backingName)
  const place = E.chain((format: 'qcow2' | 'raw') =>
    E.map((path: string) => ({ name, format, path }))(backingPath(image.name, name, options.allow))
  )(formatOf(m))
  return E.isLeft(place)
    ? E.left(`Could not open backing file '${name}': ${place.left}`)
    : E.right({ ...step, next: place.right })
}

/** Opens a chain from its top image down. What was opened is closed again when a layer cannot be. */
const openChain = (name: string, options: OpenOptions): E.Either<string, OpenChain> => {
  const steps: Step[] = []
  const opened: SourceFile[] = []
  const close = (): void => {
    for (const file of opened) file.close()
  }
  const down = (path: string, format: 'qcow2' | 'raw', seen: readonly string[]): E.Either<string, void> => {
    if (seen.length >= maxDepth) return E.left(`'${name}' has more than ${maxDepth} backing files`)
    const file = openSource(path)
    if (E.isLeft(file)) return file
    opened.push(file.right)
    const real = realpathSync(path)
    if (seen.includes(real)) return E.left(`'${name}': the backing files of '${basename(path)}' lead back to it`)
    const step = format === 'raw' ? E.right(rawStep(file.right)) : imageStep(file.right, options, steps.length === 0)
    if (E.isLeft(step)) return step
    steps.push(step.right)
    if (step.right.files.data !== undefined) opened.push(step.right.files.data)
    const next = step.right.next
    return next === undefined ? E.right(undefined) : down(next.path, next.format, [...seen, real])
  }
  const done = down(name, 'qcow2', [])
  const [top, ...rest] = steps
  if (E.isLeft(done) || top === undefined) {
    close()
    return E.left(E.isLeft(done) ? done.left : name)
  }
  const read = (request: Read): Uint8Array => {
    const files = steps[request.file.depth]?.files
    const file = request.file.part === 'data' ? files?.data : files?.image
    return file === undefined ? new Uint8Array(request.length) : file.read(request)
  }
  return E.right({
    chain: [top.layer, ...rest.map((s) => s.layer)],
    read,
    names: steps.map((s) => s.files.image.name),
    close
  })
}

/** Runs a command on a chain, and closes its files. */
export const withChain = (name: string, options: OpenOptions, command: (open: OpenChain) => number): number => {
  const open = E.tryCatch(
    () => openChain(name, options),
    (error) => `'${name}': ${reason(error)}`
  )
  const chain = E.flatten(open)
  if (E.isLeft(chain)) return fail(chain.left)
  try {
    return command(chain.right)
  } catch (error) {
    return fail(`'${name}': ${reason(error)}`)
  } finally {
    chain.right.close()
  }
}
