/** Mutants of src/node/files: reading, writing, locks and outputs. */
import type { Mutant } from '../mutant.js'

const inSession = {
  red: 'props/node/session.test.ts',
  rule: 'random commands have the same effect on a real file as on the abstract disk'
}
const inAsyncWriter = {
  red: 'props/node/async-writer.test.ts',
  rule: 'in whatever order writes complete, a barrier ends the oldest round, and every byte reaches its place'
}
const inFaults = {
  red: 'props/node/faults.test.ts',
  rule: 'whichever call fails, a command leaves the old image or the new one'
}

export const fileMutants: readonly Mutant[] = [
  {
    name: 'a raw disk in a pipe does not end at a sector',
    file: 'node/convert/to-pipe.ts',
    change: {
      in: 'rawToPipe.sink',
      find: 'Math.ceil($size / sectorSize) * sectorSize - $size',
      to: '0'
    },
    red: 'props/node/streams.test.ts',
    rule: 'a raw disk is written to standard output and to a pipe, front to back'
  },
  {
    name: 'a temporary file has no limit',
    file: 'node/files/spool.ts',
    change: { in: 'spoolOf', find: '$length > $limit', nth: 2, to: 'false' },
    red: 'props/node/streams.test.ts',
    rule: 'gzip and zstd files are read with --decompress, up to the limit'
  },
  {
    name: 'a zstd file has any window',
    file: 'node/files/spool.ts',
    change: { in: 'fromZstd', find: 'windows.largest > maxWindow', to: 'false' },
    red: 'props/node/streams.test.ts',
    rule: 'gzip and zstd files are read with --decompress, up to the limit'
  },
  {
    name: 'a file keeps what a command has added that fails',
    file: 'node/files/disk-file.ts',
    change: { in: 'diskFile', find: 'end > reach', to: 'false' },
    ...inFaults
  },
  {
    name: 'what a fault has left as it was is written again',
    file: 'node/files/disk-file.ts',
    change: {
      in: 'diskFile',
      find: 'equal(stored($change.at, $change.at + $change.bytes.length), $change.bytes)',
      to: 'false'
    },
    ...inFaults
  },
  {
    name: 'creation empties a data file that holds data',
    file: 'node/files/new-image.ts',
    change: { in: 'newDataPath', find: '$there.size > 0', to: '$there.size < 0' },
    red: 'props/node/create.test.ts',
    rule: 'create prints one line for a new image or for an error, and a failed create changes no file'
  },
  {
    name: 'a kept data file stays longer where no image is created',
    file: 'node/commands/create.ts',
    change: { in: 'createOverData', find: '$isShort && E.isLeft($created)', to: 'false' },
    red: 'props/node/create.test.ts',
    rule: 'a kept data file is made longer only for an image that is created'
  },
  {
    name: 'a kept data file is cut to the size of the disk',
    file: 'node/commands/create.ts',
    change: { in: 'createOverData', find: '$before < $size', to: 'true' },
    red: 'props/node/newer-qemu.test.ts',
    rule: 'create -o keep_data_file=on keeps the bytes of a data file'
  },
  {
    name: 'no zeros of a new file are written',
    file: 'node/commands/create.ts',
    change: { in: 'createFiles', find: "$options.preallocation === 'falloc'", to: 'true' },
    red: 'props/node/create.test.ts',
    rule: 'a preallocated image reads as that of qemu-img, has its entries, and takes space where asked to',
    byQemu: true
  },
  {
    name: 'copy-on-read writes what the image holds',
    file: 'node/io/copy-on-read.ts',
    change: { in: 'copyOnRead', find: 'if ($range.own) continue', operator: 'drop-statement' },
    red: 'props/node/command.test.ts',
    rule: 'io -C and its line open -C read from writable images only, and write nothing that these hold'
  },
  {
    name: 'no entry of a map is compressed',
    file: 'image/guest/map.ts',
    change: { in: 'entryOf', find: `$e.kind === 'compressed'`, nth: 2, to: 'false' },
    red: 'props/node/like-newer.test.ts',
    rule: 'info, map and snapshot -l print what QEMU 11 prints'
  },
  {
    name: 'a URL is the name of a new file',
    file: 'node/files/atomic-file.ts',
    change: { in: 'atomicFile', find: 'isUrl($name)', to: 'false' },
    red: 'props/node/remote.test.ts',
    rule: 'nothing is written to a server'
  },
  {
    name: 'reads of data leave out what waits to be written',
    file: 'node/files/disk-file.ts',
    change: { in: 'diskFile', find: '!isKnown($at, $at + $size)', to: 'true' },
    red: 'props/node/io.test.ts',
    rule: 'lines have the effect and the output of qemu-io with an external data file'
  },
  {
    name: 'a partial write loses the rest of its page',
    file: 'node/files/disk-file.ts',
    change: { in: 'diskFile', find: '$page * pageSize < $kept', to: '$page * pageSize > $kept' },
    ...inSession
  },
  {
    name: 'a file ends with its last nonzero byte',
    file: 'node/files/disk-file.ts',
    change: { in: 'diskFile', find: 'if ($used.length > 0) ftruncateSync($fd, $end)', operator: 'drop-statement' },
    ...inSession
  },
  {
    name: 'a barrier waits for no write',
    file: 'node/files/async-writer.ts',
    change: {
      in: 'AsyncWriter.barrier',
      find: 'this.rounds.length < maxRounds ? $done : $oldest',
      to: '$done'
    },
    ...inAsyncWriter
  },
  {
    name: 'a barrier waits for the newest round',
    file: 'node/files/async-writer.ts',
    change: { in: 'AsyncWriter.barrier', find: 'this.rounds.shift()', to: 'this.rounds.pop()' },
    ...inAsyncWriter
  },
  {
    name: 'the rest of a partial write is lost',
    file: 'node/files/async-writer.ts',
    change: { in: 'AsyncWriter.write', find: '$done < $bytes.length', to: '$done === 0' },
    ...inAsyncWriter
  },
  {
    name: 'the failure of a write in flight is lost',
    file: 'node/files/async-writer.ts',
    change: { in: 'AsyncWriter.complete', find: '$first ?? done', to: 'done' },
    red: 'props/node/async-writer.test.ts',
    rule: 'of the writes that fail the first is reported, exactly once, and the others reach their places'
  },
  {
    name: 'every round with a failed write reports a failure',
    file: 'node/files/async-writer.ts',
    change: { in: 'AsyncWriter.report', find: 'this.reported = true', operator: 'drop-statement' },
    red: 'props/node/async-writer.test.ts',
    rule: 'of the writes that fail the first is reported, exactly once, and the others reach their places'
  },
  {
    name: 'bytes at an offset above 2^53 are written at the file position',
    file: 'node/files/sparse.ts',
    change: { in: 'exactRange', find: 'Number.isSafeInteger($at) && Number.isSafeInteger($end)', to: 'true' },
    red: 'props/node/async-writer.test.ts',
    rule: 'bytes at an offset that is no safe integer are not written, now or later'
  },
  {
    name: 'an image that is not there yet is its own data file by another name',
    file: 'node/files/identity.ts',
    change: { in: 'isSameFile', find: 'placeOf($first) === placeOf($second)', to: '$first === $second' },
    red: 'props/node/create.test.ts',
    rule: 'no image is its own data file, by whatever names'
  },
  {
    name: 'a file that is opened need not be the one that was judged',
    file: 'node/files/file.ts',
    change: { in: 'isPathOf', find: 'readlinkSync($link) === path', to: 'true' },
    red: 'props/node/follow.test.ts',
    rule: 'a file that takes the place of the one that was judged is not opened'
  },
  {
    name: 'the locks of other processes are not looked for',
    file: 'node/files/lock.ts',
    change: { in: 'lockBytes', find: 'if ($shared.right) return E.right($lock)', operator: 'drop-statement' },
    red: 'props/node/lock.test.ts',
    rule: 'an image has one writer at a time, and readers beside it'
  },
  {
    name: 'a reader of an image does not forbid others to write it',
    file: 'node/files/lock.ts',
    change: {
      in: 'accesses',
      find: "{ ...readOnly, forbids: ['write', 'resize'] }",
      to: '{ ...readOnly, forbids: [] }'
    },
    red: 'props/node/lock.test.ts',
    rule: 'an image that another process writes is not read, unless by force'
  },
  {
    name: '--force-share takes the locks of a reader',
    file: 'node/files/lock.ts',
    change: { in: 'readAccess', find: "format === 'raw' || forceShare", to: "format === 'raw'" },
    red: 'props/node/lock.test.ts',
    rule: 'an image that another process writes is not read, unless by force'
  },
  {
    name: 'the name of a partial file can be known before',
    file: 'node/files/atomic-file.ts',
    change: { in: 'atomicFile', find: "randomBytes($n).toString('hex')", to: 'String(process.pid)' },
    red: 'props/node/output.test.ts',
    rule: 'nothing is written through a link that lies where an output is made'
  },
  {
    name: 'a partial file is readable by everybody until it is complete',
    file: 'node/files/atomic-file.ts',
    change: { in: 'createExclusively', find: 'fchmodSync($fd, $mode)', to: 'fchmodSync($fd, 0o644)' },
    red: 'props/node/output.test.ts',
    rule: 'an output keeps the mode and the owner of the file that it replaces, and nobody else reads it before'
  },
  {
    name: 'a signal leaves partial files',
    file: 'node/files/partial.ts',
    change: { in: 'onSignal', find: 'rmSync($path, { recursive: true, force: true, maxRetries: 3 })', to: 'undefined' },
    red: 'props/node/output.test.ts',
    rule: 'a signal removes what is not complete, and the exit code is 128 and its number'
  },
  {
    name: 'a signal leaves the programs that a command runs',
    file: 'node/files/partial.ts',
    change: { in: 'onSignal', find: 'stop()', to: 'undefined' },
    red: 'props/node/interrupted.test.ts',
    rule: 'conform stops the program that it runs'
  },
  {
    name: 'an output may be a file that is read for it',
    file: 'node/files/identity.ts',
    change: { in: 'keepApart', find: 'identity === identityOf($stats)', to: 'false' },
    red: 'props/node/output.test.ts',
    rule: 'an output is none of the files that are read for it, whatever its name'
  },
  {
    name: 'the option timeout of a server is not heeded',
    file: 'node/files/remote.ts',
    change: { in: 'answerOf', find: 'AbortSignal.timeout(answerTime * 1000)', to: 'undefined' },
    red: 'props/node/public-lines.test.ts',
    rule: 'an answer that takes longer than the option timeout is refused'
  },
  {
    name: 'a server may redirect to any host',
    file: 'node/files/remote.ts',
    change: { in: 'answerOf', find: '!isSameHost(remote, $url) && !options.allowRedirect', to: 'false' },
    red: 'props/node/remote.test.ts',
    rule: 'a server is followed to another host only where that is allowed, and without the headers that are given'
  },
  {
    name: 'given headers go to every host',
    file: 'node/files/remote.ts',
    change: { in: 'headersFor', find: 'isSameHost($remote, $url)', to: 'true' },
    red: 'props/node/remote.test.ts',
    rule: 'a server is followed to another host only where that is allowed, and without the headers that are given'
  },
  {
    name: 'the password of a URL is sent to every host',
    file: 'node/files/remote.ts',
    change: {
      in: 'headersFor',
      find: '$isOwn && remote.authorization !== undefined',
      to: 'remote.authorization !== undefined'
    },
    red: 'props/node/remote-names.test.ts',
    rule: 'a user name and a password in a URL go to its host alone, and are printed nowhere'
  },
  {
    name: 'each thread has its own copy of a password',
    file: 'node/images/secrets.ts',
    change: { in: 'shared', find: 'new SharedArrayBuffer($n)', to: 'new ArrayBuffer($n)' },
    red: 'props/node/secrets.test.ts',
    rule: 'the passwords of a thread are those that are wiped'
  },
  {
    name: 'an image on a server names every file there',
    file: 'node/images/follow.ts',
    change: { in: 'isBelow', find: '$pathname.startsWith($path)', to: 'true' },
    red: 'props/node/remote-names.test.ts',
    rule: 'the backing file of an image on a server is one in its folder there, or where that is allowed'
  },
  {
    name: 'an image over a file on a server is written as if that held zeros',
    file: 'node/images/locked-image.ts',
    change: { in: 'lockImage', find: "chain?.world._tag === 'Async'", to: 'false' },
    red: 'props/node/remote-names.test.ts',
    rule: 'a local image over a file on a server is read where that is allowed, and never written'
  },
  {
    name: 'given headers go to the server of every backing file',
    file: 'node/files/url.ts',
    change: { in: 'remoteFor', find: 'isSameOrigin(name, image)', to: 'true' },
    red: 'props/node/remote-names.test.ts',
    rule: 'the backing file of an image on a server is one in its folder there, or where that is allowed'
  },
  {
    name: 'the password of a URL goes to the server of every backing file',
    file: 'node/images/below.ts',
    change: { in: 'storedBacking', find: 'isSameOrigin(place.name, image.name)', to: 'true' },
    red: 'props/node/remote-names.test.ts',
    rule: 'the backing file of an image on a server is one in its folder there, or where that is allowed'
  },
  {
    name: 'a temporary overlay carries out discards that are to be ignored',
    file: 'node/io/temporary-overlay.ts',
    change: { in: 'openTemporaryOverlay', find: 'discards === undefined', to: 'true' },
    red: 'props/node/command.test.ts',
    rule: 'what io writes with -s is read there, and is gone at the end'
  },
  {
    name: 'the checksum of a zstd frame is read as the next frame',
    file: 'node/files/zstd-windows.ts',
    change: { in: 'ZstdWindows.passBlock', find: '$isLast ? this.checksumSize : 0', to: '0' },
    red: 'props/node/zstd-windows.test.ts',
    rule: 'the window of a frame is read from its header, after frames and skippable frames of any kind'
  }
]
