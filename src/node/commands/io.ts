/** `qcow2 io`: guest bytes read and written by lines in qemu-io's own words. */
import { runLines } from '../io/io.js'
import { argument, command, flag, option, optional, repeated, text } from './command.js'
import { allow, format, ignored } from './options.js'

export const io = command({
  name: 'io',
  summary: "read and write guest bytes, by lines of qemu-io's commands; without -c from standard input",
  args: { image: argument('[image]', 'the image', optional(text)) },
  options: {
    format: option('-f, --format <format>', 'format of the image: qcow2 (default) or raw', format),
    imageOpts: flag('--image-opts', 'the image is named by options, such as driver=qcow2,file.filename=disk.qcow2'),
    cmd: repeated('-c, --cmd <line>', "a line, such as 'write -P 1 0 64k'"),
    readOnly: flag('-r, --read-only', 'change nothing'),
    forceShare: flag('-U, --force-share', 'with -r: also while another process writes the image'),
    allow
  },
  ignored: [ignored['-n'], ignored['-t'], ignored['-d'], ignored['-i'], ignored['-k'], ignored['-m']],
  run: ({ image }, options, report) => runLines(image, options, report)
})
