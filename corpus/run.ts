/** Performs the steps of a recipe in a folder. */

import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { quotedWords } from '../src/node/conform/template.js'
import { edits } from './edits.js'

/** What a program said. `exit` is null when a signal ended it. */
export interface Said {
  readonly exit: number | null
  readonly signal?: string
  readonly stdout: string
  readonly stderr: string
}

const environment = { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' }

/** Runs a program in a folder, whose path is cut from what the program says. */
export const say = (folder: string, program: string, args: readonly string[]): Promise<Said> =>
  new Promise((resolve) => {
    const child = spawn(program, args, { cwd: folder, env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
    const stdout: string[] = []
    const stderr: string[] = []
    const plain = (parts: readonly string[]): string => parts.join('').replaceAll(`${folder}/`, '')
    child.stdout.setEncoding('utf8').on('data', (part: string) => stdout.push(part))
    child.stderr.setEncoding('utf8').on('data', (part: string) => stderr.push(part))
    child.on('error', (error) => resolve({ exit: null, signal: error.message, stdout: '', stderr: '' }))
    child.on('close', (exit, signal) =>
      resolve({ exit, ...(signal === null ? {} : { signal }), stdout: plain(stdout), stderr: plain(stderr) })
    )
  })

const edit = (folder: string, name: string, [file = '', ...args]: readonly string[]): E.Either<string, void> => {
  const path = join(folder, file)
  const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0)
  const result = edits[name]?.(bytes, args) ?? E.left('no such step')
  return E.map((made: Buffer) => (made === bytes ? undefined : writeFileSync(path, made)))(result)
}

const programs = ['qemu-img', 'qemu-io']

const perform = async (folder: string, step: string): Promise<E.Either<string, void>> => {
  const [, mode, line = ''] = /^([!~-] )?(.*)$/s.exec(step) ?? []
  const [word, ...args] = quotedWords(line) ?? []
  if (word === undefined) return E.left('no words, or an open quote')
  if (!programs.includes(word)) return edit(folder, word, args)
  let said = await say(folder, word, args)
  for (let tries = 1; mode === '~ ' && said.exit !== 0 && tries < 20; tries++) said = await say(folder, word, args)
  const asMeant = mode === '- ' || (said.exit !== null && (said.exit === 0) === (mode !== '! '))
  return asMeant ? E.right(undefined) : E.left(`${said.signal ?? `exit ${said.exit}`} ${said.stderr}${said.stdout}`)
}

/** Performs steps in order up to the first that fails, and names that. */
export const run = async (folder: string, steps: readonly string[]): Promise<E.Either<string, void>> => {
  for (const step of steps) {
    const result = await perform(folder, step)
    if (E.isLeft(result)) return E.left(`${step}: ${result.left.trim()}`)
  }
  return E.right(undefined)
}
