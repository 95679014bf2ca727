/**
 * What is meant to be different between the commits that `npm run same` compares. A commit that changes a message on purpose
 * adds a row, which is removed once the changed commit is itself the one that others are compared with.
 */

/** A text of the older commit and what it is in the newer one. */
export interface Rename {
  /** The labels of the answers that it is about: the command line, or the line of a script. */
  readonly scope: RegExp
  /** A literal text, or an expression with the flag `g`. */
  readonly from: string | RegExp
  /** As the second argument of `String.replaceAll`. */
  readonly to: string
}

/** Answers that are not compared. */
export interface Intended {
  /** The labels of these answers. */
  readonly scope: RegExp
  readonly why: string
}

/**
 * Applied in order to everything that the older commit prints, before it is compared.
 *
 *     { scope: /^check/, from: 'whole sectors', to: 'a multiple of 512 bytes' }
 */
export const renames: readonly Rename[] = [
  { scope: /./, from: 'a cluster or more behind the end at', to: 'a cluster or more past the end at' },
  { scope: /./, from: 'counts behind the end of the file', to: 'refcounts past the end of the file' },
  { scope: /./, from: 'none behind the disk and the VM state', to: 'none past the disk and the VM state' },
  {
    scope: /^map -s/,
    from: 'not a number of bytes.',
    to: 'Invalid start offset specified. You may use k, M, G, T, P or E suffixes for kilobytes, megabytes, gigabytes, terabytes, petabytes and exabytes.'
  },
  { scope: /^(create|convert|amend)/, from: 'counts may be postponed', to: 'refcounts may be updated later' },
  { scope: /./, from: /\ba count of (-?\d+) for host cluster/g, to: 'a refcount of $1 for host cluster' },
  { scope: /./, from: 'expected one that counts it', to: 'expected one that holds its refcount' },
  { scope: /./, from: 'a zstd frame that ends behind its payload', to: 'a zstd frame that ends past its payload' },
  { scope: /./, from: 'counts that have to be built anew', to: 'refcounts that have to be rebuilt' },
  {
    scope: /./,
    from: /header, extensions and name, expected at most (\d+)/g,
    to: 'header, extensions and backing file name, expected at most the $1 bytes of a cluster'
  },
  { scope: /./, from: /L1 table entry (at byte \d+: found 0x.*\[L1-05\])/g, to: 'L1 table entry l2_table_offset $1' },
  {
    scope: /./,
    from: /L2 entry (at byte \d+: found 0x.*\[(L2-02|DATA-04)\])/g,
    to: 'L2 entry host_cluster_offset $1'
  },
  {
    scope: /./,
    from: /L2 entry (at byte \d+): found the zero flag, expected none in/g,
    to: 'L2 entry zero $1: found set, expected clear in'
  },
  {
    scope: /./,
    from: /L2 entry (at byte \d+): found a compressed cluster, expected none with/g,
    to: 'L2 entry compressed $1: found set, expected clear with'
  },
  {
    scope: /./,
    from: /L2 entry (at byte \d+): found an invalid subcluster, expected a bitmap without one/g,
    to: 'L2 entry subclusters $1: found an invalid subcluster'
  },
  { scope: /./, from: 'bytes behind the end marker', to: 'bytes after the end marker' },
  {
    scope: /./,
    from: 'tables upon tables, expected fewer than its bytes',
    to: 'overlapping tables larger than the file, expected tables of fewer bytes'
  },
  { scope: /./, from: 'tables upon tables', to: 'overlapping tables larger than the file' },
  { scope: /./, from: 'fewer than its bytes', to: 'tables of fewer bytes' },
  {
    scope: /./,
    from: /found no bitmap ([^'].*), expected the name of a bitmap \[/g,
    to: "found no bitmap '$1', expected the name of an existing bitmap ["
  },
  {
    scope: /./,
    from: /found (.*), expected the ((?:id or )?name) of a snapshot \[/g,
    to: "found no snapshot '$1', expected the $2 of an existing snapshot ["
  },
  {
    scope: /^bitmap/,
    from: /Operation ([a-z]+) on bitmap ([^'].*?) failed:/g,
    to: "Operation $1 on bitmap '$2' failed:"
  },
  {
    scope: /./,
    from: /'(.*)' has (\d+) bytes, byte (\d+) is not among them/g,
    to: "byte $3 is past the end of '$1' ($2 bytes)"
  },
  // The end of the range is the sum of two of the older numbers.
  {
    scope: /^read/,
    from: /'.*' has (\d+) bytes, \d+ at (\d+) leave it/g,
    to: 'bytes $2 reach past the end ($1 bytes)'
  },
  { scope: /^read/, from: '--vm-state is that of a snapshot, which -l names', to: '--vm-state needs -l SNAPSHOT' },
  { scope: /./, from: /: nothing is (?:not|none of|neither) [^\n]*/g, to: ': missing' },
  { scope: /./, from: 'the server does not tell which bytes it sends', to: 'the server sends no Content-Range' }
]

/** Applied to what both commits print: where one prints more than the other. */
export const erasures: readonly Rename[] = [
  {
    scope: /./,
    from: /(L2 entry subclusters at byte \d+: found) (both bits set: 0x[0-9a-f]+|allocated subclusters without a host cluster), expected (at most one bit a subcluster|none)/g,
    to: '$1 an invalid subcluster'
  },
  {
    scope: /^(check|info)/,
    from: /(L[12](?: table)? entry reserved at byte \d+: found )[^,]+(, expected reserved bits zero) \[L[12]-0[124]\]/g,
    to: '$1bits$2'
  },
  { scope: /^(check|info)/, from: /"clause": "L[12]-0[124]"/g, to: '"clause": "reserved bits"' },
  { scope: /^check/, from: /"found": "(bits set|0x[0-9a-f]+)",/g, to: '"found": "bits",' },
  // A refused command names the place by the field table, and the rule that the rule table has.
  { scope: /./, from: /^(refused [A-Z0-9]+-\d+) .*$/gm, to: '$1' },
  {
    scope: /^read/,
    from: /(bytes \d+) to \d+ reach past the end of the (disk|VM state)/g,
    to: '$1 reach past the end'
  },
  { scope: /./, from: /a multiple of the cluster size, \d+/g, to: 'a multiple of the cluster size' }
]

/**
 * Only counted.
 *
 *     { scope: /--help$/, why: 'the help texts are written anew' }
 */
export const intended: readonly Intended[] = [
  { scope: /^explain .* [0-9]{16,}$/, why: 'offsets of 2^53 and more are read' },
  { scope: /(^|.* )(--help|help .*|help)$|^$/, why: 'the help texts are reworded' }
]

/** The text after the renames of this scope. */
export const renamed = (label: string, text: string, rows: readonly Rename[]): string =>
  rows.filter(({ scope }) => scope.test(label)).reduce((now, { from, to }) => now.replaceAll(from, to), text)
