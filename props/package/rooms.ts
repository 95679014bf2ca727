/** The rooms of the package: what each holds, and which others it depends on. README has this table. */

export interface Room {
  /** A folder, or some files of one: `src/image/{byte-range,metadata}.ts`. A file belongs to the longest name that fits. */
  readonly name: string
  readonly what: string
  /** Rooms above this one that it may import from, and with them from all that those depend on. */
  readonly uses: readonly string[]
  /** Whether it reads and writes files, the clock or the terminal. Every other room is values in, values out. */
  readonly effects?: true
  /** Whether the package has it as one built file, and so needs none of the packages that it imports. */
  readonly built?: true
}

const imageShared = 'src/image/{bitmap-tables,byte-range,cluster-set,entry-issues,luks-area,metadata}.ts'
const failing = 'src/node/command-error.ts'

/** In the order of their dependencies: a room uses only rooms above it. */
export const rooms: readonly Room[] = [
  { name: 'spec', what: 'what must be true: clauses, the abstract machine, a naive reader and checker', uses: [] },
  { name: 'src/bytes', what: 'words, bit ranges, field tables, issues, plans', uses: ['spec'] },
  {
    name: 'src/format',
    what: 'each on-disk structure: its fields, its rules, its codec, its view',
    uses: ['src/bytes']
  },
  { name: 'src/compression', what: 'deflate and zstd', uses: ['src/bytes'] },
  { name: 'src/encryption', what: 'AES in XTS and CBC, hashes, LUKS1', uses: ['src/format'] },
  { name: imageShared, what: 'the metadata of an image, and how to walk it', uses: ['src/format'] },
  {
    name: 'src/image/guest',
    what: 'the guest disk: extents, backing chains, reading, map, VM state, dirty ranges',
    uses: [imageShared, 'src/compression', 'src/encryption']
  },
  {
    name: 'src/image/check',
    what: 'the checker: refcounts, owners, findings, report',
    uses: [imageShared, 'src/compression']
  },
  { name: 'src/image/dump', what: 'regions of the file, dump, explain, redaction', uses: [imageShared] },
  {
    name: 'src/image',
    what: 'info, verdict, metadump, the kinds of file names',
    uses: ['src/image/guest', 'src/image/check', 'src/image/dump']
  },
  { name: 'src/fuzz', what: 'whole images for fuzzers: drawn, damaged, mutated, shrunk', uses: ['src/image'] },
  {
    name: 'src/store',
    what: 'a simulated disk that forgets unflushed sectors, and its crash states',
    uses: ['src/bytes']
  },
  {
    name: 'src/transition/engine',
    what: 'transactions and their stages, refcounts, allocation, L1 and L2 tables, opening for writing',
    uses: ['src/image/guest', 'src/image/check']
  },
  { name: 'src/transition/guest', what: 'write, zero, discard, compressed write', uses: ['src/transition/engine'] },
  { name: 'src/transition/snapshots', what: 'create, apply and delete snapshots', uses: ['src/transition/engine'] },
  { name: 'src/transition/bitmaps', what: 'dirty bitmaps: record, merge, clear', uses: ['src/transition/engine'] },
  {
    name: 'src/transition/resize',
    what: 'grow and shrink the disk',
    uses: ['src/transition/guest', 'src/transition/bitmaps']
  },
  { name: 'src/transition/create', what: 'new images', uses: ['src/transition/resize'] },
  {
    name: 'src/transition/amend',
    what: 'version, refcount width, backing file',
    uses: ['src/transition/create', 'src/transition/snapshots']
  },
  { name: 'src/transition/repair', what: 'repair leaks and corruptions', uses: ['src/transition/snapshots'] },
  {
    name: 'src/transition',
    what: 'each command as a plan that ends in ordered writes',
    uses: ['src/transition/amend', 'src/transition/repair']
  },
  {
    name: 'src/crash',
    what: 'what a program wrote, from a log of its system calls, and what must hold of an image wherever the power fails',
    uses: ['src/store', 'src/image/guest', 'src/image/check']
  },
  { name: 'src/nbd', what: 'the NBD protocol: messages, negotiation, requests and replies', uses: ['src/bytes'] },
  { name: 'src/index.ts', what: 'the main entry of the package, for browsers too', uses: ['src/image'] },
  {
    name: 'src/explorer',
    what: 'the explorer: an index of an image, what its bytes are, maps, edits',
    uses: ['src/image']
  },
  {
    name: 'src/explorer/page',
    what: "the explorer's page and its worker, built into one HTML file",
    uses: ['src/explorer'],
    effects: true,
    built: true
  },
  { name: failing, what: 'the one way in which a command fails', uses: ['src/bytes'], effects: true },
  {
    name: 'src/node/text',
    what: 'options and reports as text',
    uses: [failing, 'src/transition', 'src/image'],
    effects: true
  },
  { name: 'src/node/files', what: 'files, remote files, locks', uses: [failing, 'src/transition'], effects: true },
  {
    name: 'src/node/compression',
    what: "Node's codecs, and threads for them",
    uses: [failing, 'src/compression'],
    effects: true
  },
  {
    name: 'src/node/encryption',
    what: "Node's ciphers and hashes",
    uses: ['src/encryption'],
    effects: true
  },
  {
    name: 'src/node/images',
    what: 'opened images: chains, sessions, guest access',
    uses: ['src/node/text', 'src/node/files', 'src/node/compression', 'src/node/encryption'],
    effects: true
  },
  { name: 'src/node/convert', what: 'conversion of disks', uses: ['src/node/images'], effects: true },
  { name: 'src/node/io', what: "qemu-io's command lines", uses: ['src/node/images'], effects: true },
  {
    name: 'src/node/nbd',
    what: 'the NBD server: an export, its clients and their connections',
    uses: ['src/nbd', 'src/node/io'],
    effects: true
  },
  {
    name: 'src/node/explore',
    what: 'the server of the explorer, on the loopback interface',
    uses: ['src/node/files'],
    effects: true
  },
  {
    name: 'src/node/conform',
    what: 'conformance vectors, other programs compared with them, and reports by clause',
    uses: ['src/node/images'],
    effects: true
  },
  {
    name: 'src/node/crash',
    what: 'programs under strace, and reports of what a crash may leave of their writes',
    uses: ['src/crash', 'src/node/conform'],
    effects: true
  },
  {
    name: 'src/node/fuzz',
    what: 'generated images in folders, and other programs compared on them',
    uses: ['src/fuzz', 'src/node/conform'],
    effects: true
  },
  {
    name: 'src/node/commands',
    what: 'each command: its arguments, options and what it does',
    uses: ['src/node/convert', 'src/node/nbd', 'src/node/explore', 'src/node/crash', 'src/node/fuzz'],
    effects: true
  },
  {
    name: 'src/node',
    what: 'the command line',
    uses: ['src/node/commands'],
    effects: true
  },
  {
    name: 'props/arbitrary',
    what: 'generators derived from the field tables',
    uses: ['src/transition', 'src/fuzz']
  },
  { name: 'corpus', what: "recipes, images, and QEMU's verdicts on them", uses: ['src/node/conform'], effects: true },
  {
    name: 'props',
    what: 'the tests, a folder for each room of src; the runner, the npm commands, the mutants',
    uses: ['src/store', 'src/explorer/page', 'src/node', 'props/arbitrary', 'corpus'],
    effects: true
  }
]

/** The paths of a name: `a/{b,c}.ts` for two files, any other for itself. */
const pathsOf = (name: string): readonly string[] => {
  const [, before, names, after] = /^(.*)\{(.*)\}(.*)$/.exec(name) ?? []
  return names === undefined ? [name] : names.split(',').map((each) => `${before}${each}${after}`)
}

const places = rooms
  .flatMap((room) => pathsOf(room.name).map((path) => ({ path, room })))
  .sort((a, b) => b.path.length - a.path.length)

/** The room that a file belongs to. */
export const roomOf = (file: string): Room | undefined =>
  places.find(({ path }) => file === path || file.startsWith(`${path}/`))?.room

/** The rooms that a room depends on, directly or by way of others. */
export const below = ({ uses }: Pick<Room, 'uses'>): ReadonlySet<string> =>
  new Set(rooms.filter(({ name }) => uses.includes(name)).flatMap((room) => [room.name, ...below(room)]))

const shortened = (name: string): string => name.replace(/^src\//, '')

/** The table as rows of cells. */
export const roomsTable: readonly (readonly string[])[] = [
  ['folder', 'what it holds', 'depends on'],
  ...rooms.map(({ name, what, uses }) => [`\`${name}\``, what, uses.map((use) => `\`${shortened(use)}\``).join(', ')])
]
