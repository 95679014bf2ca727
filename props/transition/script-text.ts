/** Commands as words, those of qemu-io and qemu-img: what a written counterexample is made of. */
import type { Command } from '../../src/transition/command.js'
import { stamped } from '../arbitrary/script.js'

/** A command in words. The bytes of a write are left out: they name the command and their sector. */
export const inWords = (c: Command): string => {
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
      return `snapshot -c ${c.name}`
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
    name: (i) => plain[i] ?? ''
  }
}

/** The command that the words of {@link inWords} stand for; `mark` is what its bytes are to say. */
export const fromWords = (line: string, mark: number): Command => {
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
