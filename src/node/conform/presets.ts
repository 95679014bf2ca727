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

/** Readers by name. */
export const readers: Readonly<Record<string, string>> = {
  'qemu-img': 'qemu-img convert -f qcow2 -O raw {image} {out}',
  libqcow: `python3 -c '${pyqcow}' {image} {out}`,
  '7z': '7zz e -so {image}',
  qcow2: 'qcow2 convert -f qcow2 -O raw {image} {out}'
}

/** Checkers by name. */
export const checkers: Readonly<Record<string, string>> = {
  'qemu-img': 'qemu-img check -f qcow2 {image}',
  qcow2: 'qcow2 check -f qcow2 {image}'
}
