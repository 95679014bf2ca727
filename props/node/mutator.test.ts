/** `qcow2 fuzz --corpus` and `--mutate`: seeds, a dictionary, and the mutator for AFL++ and libFuzzer. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { drawnChoices, replayedChoices } from '../../src/fuzz/choices.js'
import { imageOf } from '../../src/fuzz/image.js'
import { header } from '../../src/format/header.js'
import { suite } from '../run/suite.js'

const test = suite('mutator')

const main = fileURLToPath(new URL('../../src/node/main.js', import.meta.url))
const source = fileURLToPath(new URL('../../../src/node/fuzz/mutator.c', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'qcow2-mutator-test-'))
const image = imageOf(replayedChoices(drawnChoices(1, 2).made)).bytes

/** A driver that asks for four mutations by libFuzzer's interface, and one by that of AFL++, and prints lengths and bytes. */
const driver = `
#include <stdint.h>
#include <stdio.h>
#include <string.h>
size_t LLVMFuzzerCustomMutator(uint8_t *, size_t, size_t, unsigned);
void *afl_custom_init(void *, unsigned);
size_t afl_custom_fuzz(void *, uint8_t *, size_t, uint8_t **, uint8_t *, size_t, size_t);
void afl_custom_deinit(void *);
static uint8_t image[1 << 20], work[1 << 20];
static void show(const uint8_t *bytes, size_t size) {
  for (size_t i = 0; i < size; i++) printf("%02x", bytes[i]);
  printf("\\n");
}
int main(int argc, char **argv) {
  size_t size = fread(image, 1, sizeof image, fopen(argv[argc - 1], "rb"));
  for (unsigned seed = 0; seed < 16; seed += 4) {
    memcpy(work, image, size);
    show(work, LLVMFuzzerCustomMutator(work, size, 8192, seed));
  }
  void *afl = afl_custom_init(0, 4);
  uint8_t *out;
  size_t length = afl_custom_fuzz(afl, image, size, &out, 0, 0, 8192);
  show(out, length);
  afl_custom_deinit(afl);
}`

test('the mutator of AFL++ and libFuzzer makes other images, the same for the same seed', () => {
  const at = (name: string): string => join(folder, name)
  writeFileSync(at('driver.c'), driver)
  writeFileSync(at('image'), image)
  execFileSync('gcc', ['-Wall', '-Wextra', '-Werror', '-o', at('driver'), at('driver.c'), source])
  const run = (): readonly string[] =>
    execFileSync(at('driver'), [at('image')], {
      encoding: 'utf8',
      env: { ...process.env, QCOW2: `${process.execPath} ${main}` }
    }).split('\n')
  const lines = run()
  assert.equal(run(), lines)
  const made = lines.slice(0, 4)
  assert.ok(new Set([...made, Buffer.from(image).toString('hex')]).size >= 4)
  assert.ok(made.every((hex) => hex.length > 0 && hex.length <= 2 * 8192))
  assert.is(lines[4], made[1])
})

/** The head of a request for a mutation of `length` bytes that follow. */
const head = (seed: number, most: number, length: number): Uint8Array =>
  new Uint8Array(Uint32Array.of(seed, most, length).buffer)

test('--mutate gives no answer to a request that is cut off, and refuses one that is too long', () => {
  const run = (...input: readonly Uint8Array[]) =>
    spawnSync(process.execPath, [main, 'fuzz', '--mutate'], { input: Buffer.concat(input) })
  const cut = run(head(1, 100, image.length), image.subarray(1))
  assert.equal([cut.status, cut.stdout.length], [0, 0])
  const long = run(head(1, 100, 2 ** 28 + 1), image)
  assert.equal([long.status, long.stdout.length], [2, 0])
  assert.match(String(long.stderr), /A request of 268435457 bytes is longer than 268435456/)
})

test('--mutate answers requests up to the end of its input', () => {
  const request = (seed: number, most: number, bytes: Uint8Array): Uint8Array =>
    Buffer.concat([head(seed, most, bytes.length), bytes])
  const input = Buffer.concat([request(1, 100, image), request(2, 2 ** 20, new Uint8Array(0)), Uint8Array.of(1)])
  const { status, stdout } = spawnSync(process.execPath, [main, 'fuzz', '--mutate'], { input })
  assert.is(status, 0)
  assert.is(stdout.readUInt32LE(0), 100)
  const length = stdout.readUInt32LE(104)
  assert.is(stdout.length, 108 + length)
  assert.is(header.decode(new Uint8Array(stdout.subarray(108)))._tag, 'Right')
})

test('--corpus writes small images that all differ, and --dict the magic numbers and bits of the field tables', () => {
  const words = ['fuzz', '--corpus', 'seeds', '--dict', 'qcow2.dict', '--count', '300']
  const { status, stdout } = spawnSync(process.execPath, [main, ...words], { cwd: folder, encoding: 'utf8' })
  assert.is(status, 0)
  const seeds = readdirSync(join(folder, 'seeds'))
  assert.is(stdout, `${seeds.length} seeds written to seeds\n`)
  assert.ok(seeds.length > 40)
  for (const name of seeds) assert.ok(readFileSync(join(folder, 'seeds', name)).length <= 2 ** 14)
  const tokens = readFileSync(join(folder, 'qcow2.dict'), 'utf8').trim().split('\n')
  for (const token of tokens) assert.match(token, /^[a-z0-9_]+="(\\x[0-9a-f]{2})+"$/)
  assert.ok(tokens.includes('magic="\\x51\\x46\\x49\\xfb"'))
  assert.ok(tokens.includes('incompatible_extended_l2="\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x10"'), tokens.join(' '))
})

test.after(() => {
  rmSync(folder, { recursive: true })
})

test.run()
