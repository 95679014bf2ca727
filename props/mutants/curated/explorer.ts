/** Mutants of src/explorer, and of the server of its page. */
import type { Mutant } from '../mutant.js'

const model = 'props/explorer/model.test.ts'
const served = 'props/node/explore.test.ts'

export const explorerMutants: readonly Mutant[] = [
  {
    name: 'a long interval before shorter ones is not found',
    file: 'explorer/intervals.ts',
    change: { in: 'Intervals.sort', find: 'Math.max($furthest, $end)', to: '$end' },
    red: model,
    rule: 'intervals find what a search through all of them finds'
  },
  {
    name: 'an earlier edit covers a later one',
    file: 'explorer/edits.ts',
    change: { in: 'pieces', find: '$edits.findLast($covers)', to: '$edits.find($covers)' },
    red: model,
    rule: 'an edited copy is made of pieces that read as the edits over the file do'
  },
  {
    name: 'the explorer answers under any name of this machine',
    file: 'node/explore/access.ts',
    change: { in: 'askedFor', find: '!$hosts.includes($host)', to: 'false' },
    red: served,
    rule: 'only requests with the right host and token are answered'
  },
  {
    name: 'the explorer answers scripts of other sites',
    file: 'node/explore/access.ts',
    change: { in: 'askedFor', find: '$origin !== undefined', to: 'false' },
    red: served,
    rule: 'only requests with the right host and token are answered'
  },
  {
    name: 'the explorer answers without its token',
    file: 'node/explore/access.ts',
    change: { in: 'askedFor', find: '!isSameSecret($given, $token)', to: 'false' },
    red: served,
    rule: 'only requests with the right host and token are answered'
  },
  {
    name: 'the name of an image may end the element that holds it',
    file: 'node/commands/explore.ts',
    change: { in: 'jsonInHtml', find: "$json.replaceAll('<', $escaped)", to: '$json' },
    red: served,
    rule: 'a name in the page ends no element of it'
  }
]
