/** Templates for the programs that Debian and npm have. */

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
  libqcow: `python3 -c '${pyqcow}' {image} {out}`,
  '7z': '7zz e -so {image}',
  nbdkit,
  'xen-orchestra': `node -e '${xenOrchestra}' {image} {out}`,
  qcow2: 'qcow2 convert -f qcow2 -O raw {image} {out}'
}

/** Checkers by name. */
export const checkers: Readonly<Record<string, string>> = {
  'qemu-img': 'qemu-img check -f qcow2 {image}',
  qcow2: 'qcow2 check -f qcow2 {image}'
}
