/** Mutants of src/node but its files: images, sessions and commands. */
import type { Mutant } from '../mutant.js'

const inSession = {
  red: 'props/node/session.test.ts',
  rule: 'random commands have the same effect on a real file as on the abstract disk'
}
const inRebase = {
  red: 'props/node/rebase.test.ts',
  rule: 'a disk stays the same over any other backing file, and over none'
}
const inFaults = {
  red: 'props/node/faults.test.ts',
  rule: 'whichever call fails, a command leaves the old image or the new one'
}

export const nodeMutants: readonly Mutant[] = [
  {
    name: 'a rate is no limit',
    file: 'node/convert/rate-limit.ts',
    change: { in: 'RateLimit.admit', find: 'this.level += bytes / this.rate', operator: 'drop-statement' },
    red: 'props/node/rate-limit.test.ts',
    rule: 'a write waits until the bytes before it have taken their time, but for a tenth of a second'
  },
  {
    name: 'discards are carried out where -d ignores them',
    file: 'node/images/as-given.ts',
    change: { in: 'asGiven', find: "if (command._tag === 'Discard') return undefined", operator: 'drop-statement' },
    red: 'props/node/options.test.ts',
    rule: 'a line has another outcome without its option'
  },
  {
    name: 'a conversion with --strict reads zeros past the end of a file',
    file: 'node/convert/past-end.ts',
    change: { in: 'PastEnd.onMissing', find: 'if (this.isStrict) return [issueOf($data)]', operator: 'drop-statement' },
    red: 'props/node/cut-off.test.ts',
    rule: 'convert warns of guest data past the end of a file, which it reads as zeros; with --strict it fails'
  },
  {
    name: 'a file that is changed is not named by its kind',
    file: 'node/images/openable-metadata.ts',
    change: { in: 'openableMetadata', find: 'namingOthers($image)($opened)', to: '$opened' },
    red: 'props/node/messages.test.ts',
    rule: 'a file that is no qcow2 image is named by what it is, with what to do, by every command and as a backing file'
  },
  {
    name: 'a command that fails is not undone',
    file: 'node/images/undo-log.ts',
    change: { in: 'UndoLog.record', find: 'this.inverses.push($inverse.right)', operator: 'drop-statement' },
    ...inFaults
  },
  {
    name: 'the first write of a command is undone first',
    file: 'node/images/undo-log.ts',
    change: { in: 'UndoLog.undo', find: 'this.inverses.reverse()', to: 'this.inverses' },
    ...inFaults
  },
  {
    name: 'a file that has been cut is written as if it were whole',
    file: 'node/images/undo-log.ts',
    change: { in: 'UndoLog.record', find: 'E.isRight($done) && isCut($write, $inverse.right)', to: 'false' },
    ...inFaults
  },
  {
    name: 'a disk may be longer by a whole sector',
    file: 'node/conform/outcome.ts',
    change: { in: 'diskFound', find: '$length < disk.length + $sector', to: '$length <= disk.length + $sector' },
    red: 'props/node/conform.test.ts',
    rule: 'a size that is no whole sectors may be rounded up'
  },
  {
    name: 'a file that a command names is sought in the folder of the vector',
    file: 'node/conform/template.ts',
    change: { in: 'fromHere', find: 'resolve(word)', to: 'word' },
    red: 'props/node/conform.test.ts',
    rule: 'a file that the command names is found where the command is typed'
  },
  {
    name: 'a writer may leave unknown autoclear bits set',
    file: 'node/conform/writer/judge.ts',
    change: { in: 'unknowns', find: 'left.length === 0', to: 'true' },
    red: 'props/vectors/writers.test.ts',
    rule: 'a writer that keeps unknown autoclear bits is found, and its clause comes first'
  },
  {
    name: 'a writer may change the disk of a snapshot',
    file: 'node/conform/writer/judge.ts',
    change: { in: 'problemOf', find: 'changedSnapshots(before, state)', to: '[]' },
    red: 'props/vectors/writers.test.ts',
    rule: 'a writer that writes in place to shared clusters is found, and its clause comes first'
  },
  {
    name: 'a writer need not take the snapshots that it is asked for',
    file: 'node/conform/writer/judge.ts',
    change: { in: 'problemOf', find: 'newSnapshots(before, state, changes)', to: '[]' },
    red: 'props/vectors/writers.test.ts',
    rule: 'a writer that takes no snapshots is found, and its clause comes first'
  },
  {
    name: 'a writer may leave another disk in a raw data file',
    file: 'node/conform/writer/judge.ts',
    change: { in: 'problemOf', find: 'rawDataFile(state)', to: '[]' },
    red: 'props/vectors/writers.test.ts',
    rule: 'a writer that zeros the entries of a raw data file alone is found, and its clause comes first'
  },
  {
    name: 'an enabled bitmap need not mark a write',
    file: 'node/conform/writer/judge.ts',
    change: { in: 'problemOf', find: 'unmarked(state, changes)', to: '[]' },
    red: 'props/vectors/writers.test.ts',
    rule: 'a writer that does not mark bitmaps is found, and its clause comes first'
  },
  {
    name: 'a conformance run reads whatever a writer leaves in its folder',
    file: 'node/conform/writer/state.ts',
    change: { in: 'filesIn', find: '$entry.isFile()', to: 'true' },
    red: 'props/node/conform.test.ts',
    rule: 'a writer may leave other files than regular ones'
  },
  {
    name: 'a command that is refused may change the image',
    file: 'node/conform/writer/perform.ts',
    change: { in: 'failureOf', find: 'isUnchanged()', to: 'true' },
    red: 'props/node/conform.test.ts',
    rule: 'a writer that must refuse an image is right where it fails and changes no file'
  },
  {
    name: 'guest bytes in clusters that the same commands have freed are not put back',
    file: 'node/images/session.ts',
    change: { in: 'Session.all', find: '$writes.map(saved)', to: '$writes' },
    ...inFaults
  },
  {
    name: 'a session goes on after a write that failed',
    file: 'node/images/session.ts',
    change: { in: 'Session.orOver', find: 'this.over = $done.left', to: 'this.over = undefined' },
    red: 'props/node/full-disk.test.ts',
    rule: 'a session is over when a write has failed'
  },
  {
    name: 'a session does not read its pending guest writes',
    file: 'node/images/session.ts',
    change: { in: 'Session.see', find: 'this.files.see($writes)', to: 'E.right(undefined)' },
    ...inSession
  },
  {
    name: 'pending guest writes are not performed before another command',
    file: 'node/images/session.ts',
    change: { in: 'Session.take', find: 'this.settle()', to: 'E.right(undefined)' },
    ...inSession
  },
  {
    name: 'pending guest writes are performed twice',
    file: 'node/images/session.ts',
    change: { in: 'Session.settle', find: 'this.group = new Group()', operator: 'drop-statement' },
    ...inSession
  },
  {
    name: 'pending guest writes are lost at the end of a session',
    file: 'node/images/session.ts',
    change: { in: 'Session.end', find: 'this.settle()', to: 'E.right(undefined)' },
    ...inSession
  },
  {
    name: 'an io line writes zeros for the bytes of a pattern file',
    file: 'node/io/transfers.ts',
    change: { in: 'repeated', find: 'Buffer.alloc($length, $bytes)', to: 'Buffer.alloc($length)' },
    red: 'props/node/io.test.ts',
    rule: 'a compressed write is as short as zstd makes it'
  },
  {
    name: 'an io line does not use the native compressor',
    file: 'node/images/locked-image.ts',
    change: { in: 'codecs', find: 'compressor: await compressorOf($type)', operator: 'drop-element' },
    red: 'props/node/io.test.ts',
    rule: 'a compressed write is as short as zstd makes it'
  },
  {
    name: 'rebase exposes a longer backing file past the end of the old one',
    file: 'node/images/keep-disk.ts',
    change: { in: 'keepDisk', find: '!$piece.absent', to: '!($piece.absent && open.chain.length === 1)' },
    ...inRebase
  },
  {
    name: 'an image becomes its own backing file',
    file: 'node/commands/rebase.ts',
    change: { in: 'keepOver', find: 'yield* get(keepOffItself($image, $open, $below))', operator: 'drop-statement' },
    red: 'props/node/rebase.test.ts',
    rule: 'no image becomes its own backing file, nor that of one of its files'
  },
  {
    name: 'an argument that is not UTF-8 is taken for another name',
    file: 'node/program.ts',
    change: { in: 'execute', find: '$word.includes(replacement)', to: 'false' },
    red: 'props/node/names.test.ts',
    rule: 'an argument with bytes that are not UTF-8 is refused, and no other file is written in its place'
  },
  {
    name: 'rebase to no backing file does not copy the old one',
    file: 'node/commands/rebase.ts',
    change: {
      in: 'keepOver',
      find: 'yield* keep(undefined)',
      to: 'undefined'
    },
    ...inRebase
  },
  {
    name: 'rebase does not keep zeros of the old backing file',
    file: 'node/images/keep-disk.ts',
    change: {
      in: 'keepPart',
      find: 'Buffer.compare($old.subarray($from, $to), $now) === 0',
      to: 'Buffer.compare($old.subarray($from, $to), $now) === 0 || isZeros($old, $from, $to)'
    },
    ...inRebase
  },
  {
    name: 'commit extends a raw base by the end of its last sector',
    file: 'node/commands/commit.ts',
    change: { in: 'rawTarget', find: "chainSize([{ _tag: 'Raw', size: $file.length() }])", to: '$file.length()' },
    red: 'props/node/commit.test.ts',
    rule: 'a raw base that ends within a sector is not made longer by an overlay that holds nothing there'
  },
  {
    name: 'comparing disks skips the ranges of the one that begins first',
    file: 'node/images/allocated-ranges.ts',
    change: { in: 'allocatedIn', find: '$b[0] < $a[0]', to: '$b[0] > $a[0]' },
    red: 'props/node/allocated-ranges.test.ts',
    rule: 'a byte lies in exactly one of the reported ranges if a disk has it, else in none'
  },
  {
    name: 'what options in an image name is opened wherever it is',
    file: 'node/images/below.ts',
    change: { in: 'storedBacking', find: 'optionPlace(image.name, stored, place, allow)', to: 'E.right(place)' },
    red: 'props/node/image-opts.test.ts',
    rule: 'what options in an image name is data: it is opened in the folder of the image, and no server is asked'
  },
  {
    name: 'an image is changed though its options say read-only',
    file: 'node/images/locked-image.ts',
    change: {
      in: 'keepWritable',
      find: 'if (node.readOnly === true || readOnly === true) return $refused',
      operator: 'drop-statement'
    },
    red: 'props/node/image-opts.test.ts',
    rule: 'options that forbid writing are kept by every command'
  },
  {
    name: 'on Windows only a slash ends the folder of an image',
    file: 'node/images/native-path.ts',
    change: { in: 'fromFolderOf', find: 'image.lastIndexOf(paths.sep)', to: '-1' },
    red: 'props/node/native-path.test.ts',
    rule: 'a relative name in an image starts at the folder of the image'
  },
  {
    name: 'the name of a backing file decides, not where its links lead',
    file: 'node/images/follow.ts',
    change: {
      in: 'placeIn',
      find: 'isInside(paths, real($folder), $at)',
      to: 'isInside(paths, resolve($folder), resolve(path))'
    },
    red: 'props/node/follow.test.ts',
    rule: 'a link of a file or of a folder is followed where the file that it leads to may be'
  },
  {
    name: 'commit looks for a base from the working directory',
    file: 'node/commands/commit.ts',
    change: { in: 'depthOf', find: 'pathFrom($above.name, base)', to: 'base' },
    red: 'props/node/links.test.ts',
    rule: 'a base is named from the folder of the layer above it'
  },
  {
    name: "SIGUSR1 opens a port for Node's debugger",
    file: 'node/main.ts',
    change: { in: '', find: "process.on('SIGUSR1', () => undefined)", operator: 'drop-statement' },
    red: 'props/node/command.test.ts',
    rule: 'SIGUSR1 has no effect, whoever sends it, as in qemu-io, and no debugger listens'
  },
  {
    name: 'a disk size that no number holds is rounded',
    file: 'node/text/values.ts',
    change: { in: 'diskSize', find: '$bytes <= Number.MAX_SAFE_INTEGER', operator: 'condition-true' },
    red: 'props/node/messages.test.ts',
    rule: 'sizes and offsets in messages are exact to the last digit'
  },
  {
    name: 'a place of no bytes has an offset in its message',
    file: 'bytes/issue.ts',
    change: { in: 'show', find: '$c.size + $c.at === 0', operator: 'condition-false' },
    red: 'props/node/messages.test.ts',
    rule: 'what is not in the image has no byte offset in a message'
  }
]
