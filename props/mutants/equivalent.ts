/** Mutants that no test can find, by their keys, each with the reason: what they compute is the same. */

const wordIsThere = 'a chunk has a word for each index that lookAt returns'

export const equivalent: Readonly<Record<string, string>> = {
  'image/cluster-set.ts ClusterSet.add.word: const word = chunk[within >>> 5] ?? [-0-]{+(1)+}': wordIsThere,
  'image/cluster-set.ts ClusterSet.add.word: const word = chunk[within >>> 5] ?? [-0-]{+(-1)+}': wordIsThere
}
