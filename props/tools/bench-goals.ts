/** The goals of the benchmark: our time divided by the rival's at most, of whole processes on top of what Node takes to start. */
export const goals = {
  headerCodec: 2,
  view: 1.1,
  /** Node alone is the rival, so that the start is in the ratio. */
  start: 1.3,
  check: 1,
  map: 1.5,
  walkExtended: 2,
  convertExtended: 1.2,
  sparse: 2,
  /** Of a chain of four layers. */
  chain: 1.5,
  change: 1,
  io: 1.5,
  convert: 1,
  compare: 1,
  compressDeflate: 0.5,
  compressZstd: 1,
  /** Reads of 4 KiB at random: a quarter of the rate of reads of the file, and 0.15 of it with clusters of 2 MiB. */
  randomReads: 1 / 0.25,
  randomReadsLarge: 1 / 0.15,
  compressedReads: 1.2,
  smallReads: 2
} as const

/** The goals of memory in MiB. */
export const memoryGoals = {
  /** What a snapshot of a disk of 4 TiB takes in all. */
  snapshot: 160,
  /** The noise between two runs. */
  noise: 16
} as const
