/** Actions as words, those of qemu-io and qemu-img: what a written counterexample is made of. */
import { empty, fromHex, toHex } from '../../../src/bytes/octets.js'
import type { Command } from '../../../src/transition/command.js'
import { stamped } from '../../arbitrary/script.js'
import { type Action, isOperation, type Operation } from './operations.js'

/** A name; a letter that is repeated stands once, with its number. */
const nameInWords = (name: string): string =>
  name.length > 40 && name === (name[0] ?? '').repeat(name.length) ? `${name[0] ?? ''}{${name.length}}` : name

const nameFromWords = (words: string): string => {
  const [, letter = '', times = ''] = /^(.)\{(\d+)\}$/.exec(words) ?? []
  return letter === '' ? words : letter.repeat(Number(times))
}

const compat = ['0.10', '1.1'] as const

const operationInWords = (o: Operation): string => {
  switch (o._tag) {
    case 'Amend': {
      const { version, refcountOrder, lazyRefcounts } = o.options
      const options = [
        ...(version === undefined ? [] : [`compat=${compat[version - 2] ?? ''}`]),
        ...(refcountOrder === undefined ? [] : [`refcount_bits=${2 ** refcountOrder}`]),
        ...(lazyRefcounts === undefined ? [] : [`lazy_refcounts=${lazyRefcounts ? 'on' : 'off'}`])
      ]
      return `amend -o ${options.join(',')}`
    }
    case 'Rebase':
      return o.backing === undefined ? 'rebase -u' : `rebase -u -b ${o.backing.name} -F ${o.backing.format}`
    case 'MakeEmpty':
      return 'empty'
    case 'Repair':
      return `check -r ${o.mode}`
    case 'Damage':
      return `damage ${o.at} ${toHex(o.bytes)}`
  }
}

/** An action in words. The bytes of a write are left out: they name the command and their sector. */
export const inWords = (action: Action): string =>
  isOperation(action) ? operationInWords(action) : commandInWords(action)

const commandInWords = (c: Command): string => {
  switch (c._tag) {
    case 'Write':
      return `write ${c.at} ${c.bytes.length}`
    case 'WriteCompressed':
      return `write -c ${c.at} ${c.bytes.length}`
    case 'WriteZeroes':
      return `write -z ${c.unmap ? '-u ' : ''}${c.at} ${c.length}`
    case 'Discard':
      return `discard ${c.at} ${c.length}`
    case 'Flush':
      return 'flush'
    case 'Resize':
      return `resize ${'preallocation' in c ? `--preallocation=${c.preallocation} ` : ''}${c.size}`
    case 'SnapshotCreate':
      return `snapshot -c ${nameInWords(c.name)}`
    case 'SnapshotApply':
      return `snapshot -a ${c.name}`
    case 'SnapshotDelete':
      return `snapshot -d ${c.name}`
    case 'BitmapAdd':
      return `bitmap --add ${c.enabled ? '' : '--disabled '}-g ${c.granularity} ${c.name}`
    case 'BitmapRemove':
      return `bitmap --remove ${c.name}`
    case 'BitmapClear':
      return `bitmap --clear ${c.name}`
    case 'BitmapEnable':
      return `bitmap --enable ${c.name}`
    case 'BitmapDisable':
      return `bitmap --disable ${c.name}`
    case 'BitmapMerge':
      return `bitmap --merge ${c.from} ${c.name}`
  }
}

const preallocations = ['off', 'metadata', 'falloc', 'full'] as const

/** Each word of a command after its options, and its options. */
interface Words {
  readonly has: (option: string) => boolean
  readonly number: (i: number) => number
  readonly name: (i: number) => string
}

const wordsOf = (words: readonly string[]): Words => {
  const plain = words.filter((w) => !w.startsWith('-'))
  return {
    has: (option) => words.includes(option),
    number: (i) => Number(plain[i]),
    name: (i) => nameFromWords(plain[i] ?? '')
  }
}

/** The value of an option, none if it is absent. */
const valueOf = (words: readonly string[], option: string): string | undefined => {
  const at = words.indexOf(option)
  return at < 0 ? undefined : words[at + 1]
}

const amendFromWords = (options: string): Operation => {
  const given = new Map(options.split(',').map((each) => [each.split('=')[0], each.split('=')[1]]))
  const [version, bits, lazy] = ['compat', 'refcount_bits', 'lazy_refcounts'].map((name) => given.get(name))
  return {
    _tag: 'Amend',
    options: {
      ...(version === undefined ? {} : { version: version === '0.10' ? 2 : 3 }),
      ...(bits === undefined ? {} : { refcountOrder: Math.log2(Number(bits)) }),
      ...(lazy === undefined ? {} : { lazyRefcounts: lazy === 'on' })
    }
  }
}

/** The action that the words of {@link inWords} stand for; `mark` is what its bytes are to say. */
export const fromWords = (line: string, mark: number): Action => {
  const [verb = '', ...rest] = line.split(' ')
  switch (verb) {
    case 'amend':
      return amendFromWords(valueOf(rest, '-o') ?? '')
    case 'rebase': {
      const [name, format] = [valueOf(rest, '-b'), valueOf(rest, '-F') ?? 'raw']
      return name === undefined ? { _tag: 'Rebase' } : { _tag: 'Rebase', backing: { name, format, layers: [] } }
    }
    case 'empty':
      return { _tag: 'MakeEmpty' }
    case 'check':
      return { _tag: 'Repair', mode: valueOf(rest, '-r') === 'leaks' ? 'leaks' : 'all' }
    case 'damage':
      return { _tag: 'Damage', at: Number(rest[0]), bytes: fromHex(rest[1] ?? '') ?? empty }
    default:
      return commandFromWords(line, mark)
  }
}

const commandFromWords = (line: string, mark: number): Command => {
  const [verb = '', ...rest] = line.split(' ')
  const { has, number, name } = wordsOf(rest)
  const bytes = (): Uint8Array => stamped(mark, number(0), number(1))
  const at = number(0)
  switch (verb) {
    case 'write':
      if (has('-z')) return { _tag: 'WriteZeroes', at, length: number(1), unmap: has('-u') }
      return { _tag: has('-c') ? 'WriteCompressed' : 'Write', at, bytes: bytes() }
    case 'discard':
      return { _tag: 'Discard', at, length: number(1) }
    case 'resize': {
      const preallocation = preallocations.find((mode) => has(`--preallocation=${mode}`))
      return { _tag: 'Resize', size: at, ...(preallocation === undefined ? {} : { preallocation }) }
    }
    case 'snapshot':
      return {
        _tag: has('-c') ? 'SnapshotCreate' : has('-a') ? 'SnapshotApply' : 'SnapshotDelete',
        name: name(0)
      }
    case 'bitmap':
      if (has('--add')) return { _tag: 'BitmapAdd', granularity: number(0), name: name(1), enabled: !has('--disabled') }
      if (has('--merge')) return { _tag: 'BitmapMerge', from: name(0), name: name(1) }
      return {
        _tag: has('--remove')
          ? 'BitmapRemove'
          : has('--clear')
            ? 'BitmapClear'
            : has('--enable')
              ? 'BitmapEnable'
              : 'BitmapDisable',
        name: name(0)
      }
    case 'flush':
      return { _tag: 'Flush' }
    default:
      throw new Error(`${line} is no command`)
  }
}
