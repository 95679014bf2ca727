/** Templates for the programs that Debian and npm have. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { Commands } from './writer/perform.js'

const pyqcow = [
  'import sys, pyqcow',
  'f = pyqcow.open(sys.argv[1])',
  'o = open(sys.argv[2], "wb")',
  'n = f.get_media_size()',
  'while n > 0:',
  ' b = f.read(min(n, 1048576))',
  ' n = n - len(b) if b else sys.exit(1)',
  ' o.write(b)'
].join('\n')

/** The Python that has pyqcow: the first on the PATH may be another one than Debian's, for which its packages are. */
const python = (): string =>
  spawnSync('python3', ['-c', 'import pyqcow'], { stdio: 'ignore' }).status !== 0 && existsSync('/usr/bin/python3')
    ? '/usr/bin/python3'
    : 'python3'

/** It reads the blocks that the package lists; a disk with a backing file, which its caller resolves, is refused. */
const xenOrchestra = [
  'const fs = require("node:fs"), [image, out] = process.argv.slice(1)',
  'const files = {',
  ' openFile: async (path) => fs.openSync(path),',
  ' closeFile: async (file) => fs.closeSync(file),',
  ' read: async (file, buffer, at) => ({ buffer, bytesRead: fs.readSync(file, buffer, 0, buffer.length, at) })',
  '}',
  'import(require.resolve("@xen-orchestra/qcow2")).then(async ({ QCowAccessor }) => {',
  ' const disk = new QCowAccessor(files, image)',
  ' await disk.init()',
  ' if (disk.isDifferencing()) throw new Error("it has a backing file")',
  ' const size = disk.getVirtualSize(), cluster = disk.getBlockSize(), file = fs.openSync(out, "w")',
  ' fs.ftruncateSync(file, size)',
  ' for (const index of disk.getBlockIndexes()) {',
  '  const { data } = await disk.readBlock(index), at = index * cluster',
  '  if (at < size) fs.writeSync(file, data, 0, Math.min(data.length, size - at), at)',
  ' }',
  '})'
].join('\n')

/** Its own client asks for block status, on which the filter of nbdkit 1.42 aborts: so extents are left out. */
const nbdkit = `nbdkit -r -U nbd.sock --filter=noextents --filter=qcow2dec file {image} --run 'qemu-img convert -f raw -O raw "$uri" {out}'`

/** Readers by name. `libqcow` needs python3-libqcow, `nbdkit` version 1.42, `xen-orchestra` its package on NODE_PATH. */
export const readers: Readonly<Record<string, string>> = {
  'qemu-img': 'qemu-img convert -f qcow2 -O raw {image} {out}',
  get libqcow() {
    return `${python()} -c '${pyqcow}' {image} {out}`
  },
  '7z': '7zz e -so {image}',
  nbdkit,
  'xen-orchestra': `node -e '${xenOrchestra}' {image} {out}`,
  qcow2: 'qcow2 convert -f qcow2 -O raw {image} {out}'
}

const qemuIo = (line: string): string => `qemu-io -f qcow2 -d unmap -c '${line}' {image}`
const qcow2Io = (line: string): string => `qcow2 io -c '${line}' {image}`

/** Writers by name: a command for each kind of change. */
export const writers: Readonly<Record<string, Commands>> = {
  'qemu-io': {
    Write: qemuIo('write -q -s {data} {offset} {length}'),
    Zero: qemuIo('write -q -z {offset} {length}'),
    Discard: qemuIo('discard -q {offset} {length}'),
    Flush: qemuIo('flush'),
    Snapshot: 'qemu-img snapshot -c {name} {image}'
  },
  qcow2: {
    Write: qcow2Io('write -q -s {data} {offset} {length}'),
    Zero: qcow2Io('write -q -z {offset} {length}'),
    Discard: qcow2Io('discard -q {offset} {length}'),
    Flush: qcow2Io('flush'),
    Snapshot: 'qcow2 snapshot -c {name} {image}'
  }
}

/** Checkers by name. */
export const checkers: Readonly<Record<string, string>> = {
  'qemu-img': 'qemu-img check -f qcow2 {image}',
  qcow2: 'qcow2 check -f qcow2 {image}'
}
