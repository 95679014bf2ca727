/** `qcow2 dd`: blocks of a guest disk as a raw file or as an image. */
import * as t from 'io-ts'
import { either, failure, get, wait } from '../command-error.js'
import { convert } from '../convert/convert.js'
import { grain } from '../files/sparse.js'
import { nodeAt } from '../images/image-node.js'
import { byteSize, decodeWith, where } from '../text/values.js'
import { argument, command, flag, option, orElse, text, texts } from './command.js'
import { allow, forceShare, format, givenFormat, namedBy, remote, secrets } from './options.js'

const blockSize = byteSize('bs')
const operands = {
  if: text,
  of: text,
  bs: orElse(
    where(blockSize, (n) => n >= 1 && n < 2 ** 31, 'Invalid bs specified. Must be between 1 and 2147483647.'),
    512
  ),
  count: orElse(byteSize('count'), Infinity),
  skip: orElse(byteSize('skip'), 0)
}

/** The values of operands `name=value`, the last of several with one name. */
const operandsOf = either(function* (words: readonly string[]) {
  const values = new Map<string, string>()
  for (const word of words) {
    const [, name = '', value] = /^([^=]*)(?:=(.*))?$/s.exec(word) ?? []
    if (!Object.hasOwn(operands, name) || value === undefined)
      return yield* get(failure(`unrecognized operand ${name}`))
    values.set(name, value)
  }
  if (!values.has('if') || !values.has('of')) yield* get(failure('Must specify both input and output files'))
  return yield* get(decodeWith(t.type(operands))(Object.fromEntries(values)))
})

/** A conversion of guest bytes alone, in which zeros become holes. */
const plain = {
  options: [],
  over: false,
  targetIsZero: false,
  compress: false,
  sparse: grain,
  rate: 0,
  bitmaps: false,
  skipBrokenBitmaps: false,
  strict: false,
  salvage: false,
  quiet: true
}

export const dd = command({
  args: {
    operands: argument(
      '<operands...>',
      'if=INPUT and of=OUTPUT; bs=BYTES of a block (default: 512); skip=BLOCKS that are not copied; ' +
        'count=BLOCKS of the input that are looked at, those that are skipped included',
      texts
    )
  },
  options: {
    format: option('-f, --format <format>', 'format of the input: qcow2 (default) or raw', givenFormat),
    imageOpts: flag('--image-opts', 'the input is named by options, such as driver=qcow2,file.filename=disk.qcow2'),
    secrets,
    out: option('-O, --output-format <format>', 'format of the output: raw (default) or qcow2', orElse(format, 'raw')),
    allow,
    forceShare,
    remote
  },
  async *run({ operands: words }, { format: given, imageOpts, secrets: keys, ...options }, report) {
    const { if: input, of: output, bs, count, skip } = yield* get(operandsOf(words))
    const part = [bs * skip, bs * count] as const
    const image = yield* get(namedBy({ words: input, byOptions: imageOpts, format: given, secrets: keys }))
    yield* wait(convert([image], nodeAt(output, options.out), { ...options, ...plain, part }, report))
  }
})
