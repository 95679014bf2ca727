/**
 * Shell tests of QEMU 7.2 whose output is compared, and each line in which that of this package differs.
 *
 * They are tests for qcow2 that QEMU 7.2 passes. They start no QEMU system and no server, inject no errors, and need no
 * drivers but those of qcow2, raw and files, and neither `dd` nor `measure`.
 */
import type { Difference } from './compare.js'

/** Messages of commands that fail in both: ours name the field, its byte offset, and what was expected. */
const messages = (qemu: number, ours: number, why = 'messages'): Difference => ({
  reason: 'wording',
  why,
  qemu: [qemu, /^qemu: /],
  ours: [ours, /^qemu: /]
})

/** Lines in which `info` describes an image that must be refused. */
const refusedInfo = (refusals: number, lines: number): Difference => ({
  reason: 'our rule',
  why: 'info also describes an image that must be refused, with exit code 1',
  qemu: [refusals, /^qemu: Could not open .*(Unsupported IMGFMT feature|L1 table is too small)/],
  ours: [lines, /^(image|file format|virtual size|cluster_size|Snapshot list): |^ID |^1 /]
})

/** The findings of `check` and what a repair does to them: as many in both, ours by byte offset and clause. */
const findings = (qemu: number, ours: number, why = 'findings of check'): Difference => ({
  reason: 'wording',
  why,
  qemu: [qemu, /^(ERROR:? |Leaked |Repairing |Rebuilding |Discarding )/],
  ours: [ours, /^(ERROR:? |Leaked |NOTE |Notes, |FLAW |Flaws, |\.\.\. and \d+ more|$)/]
})

/** A test whose lines are all the same. */
const same: readonly Difference[] = []

export const listed: ReadonlyMap<string, readonly Difference[]> = new Map<string, readonly Difference[]>([
  ['001', same],
  ['002', same],
  ['003', same],
  ['004', same],
  ['005', same],
  ['008', same],
  ['009', same],
  ['010', same],
  ['011', same],
  ['012', same],
  ['013', same],
  ['015', same],
  ['017', same],
  ['018', same],
  ['019', same],
  ['021', same],
  ['022', [findings(0, 37, 'notes of check')]],
  [
    '024',
    [
      {
        reason: 'our rule',
        why: 'rebase makes zero clusters where QEMU writes zeros: the human-readable map lists data alone',
        clause: 'CR-02',
        qemu: [1, /^0 +0x30000 /],
        ours: [1, /^0 +0x20000 /]
      }
    ]
  ],
  ['025', same],
  ['027', same],
  ['029', [findings(0, 4, 'notes of check')]],
  [
    '031',
    [
      {
        reason: 'our rule',
        why: 'a rewritten header keeps its extensions in their order; QEMU writes unknown ones last',
        clause: 'EXT-20',
        qemu: [10, /^$|^Header extension:|^magic +0xe2792aca|^length +11$|^data +'host_device'$/],
        ours: [10, /^$|^Header extension:|^magic +0xe2792aca|^length +11$|^data +'host_device'$/]
      }
    ]
  ],
  ['032', same],
  ['034', same],
  ['035', same],
  [
    '036',
    [
      refusedInfo(8, 32),
      {
        reason: 'our rule',
        why: 'a check that repairs nothing changes nothing; QEMU clears unknown autoclear bits before it looks for damage',
        clause: 'OPEN-40',
        qemu: [1, /^autoclear_features +\[\]$/],
        ours: [1, /^autoclear_features +\[63\]$/]
      },
      { reason: 'wording', why: 'check has notes', qemu: [0], ours: [3, /^NOTE |^Notes, |^$/] }
    ]
  ],
  ['037', same],
  ['038', same],
  [
    '039',
    [
      {
        reason: 'our rule',
        why: 'under lazy refcounts refcounts are written as without them, and the dirty bit is not set',
        clause: 'ORD-04',
        qemu: [
          28,
          /^incompatible_features|^ERROR |^Re(build|pair)ing |^$|^2 errors |^Data may |^The following |^ +[01] |^Double /
        ],
        ours: [6, /^incompatible_features +\[\]$|^No errors were found/]
      }
    ]
  ],
  ['042', same],
  [
    '043',
    [
      messages(3, 3),
      {
        reason: 'wording',
        why: 'info has more members, and some in another order',
        qemu: [5, /^ {8}"(full-backing-filename|dirty-flag)": /],
        ours: [71, /^ {8}/]
      }
    ]
  ],
  ['047', same],
  ['048', same],
  [
    '049',
    [
      { ...messages(20, 9), qemu: [20, /^qemu: |^Optional suffix |^and exabytes, /] },
      {
        reason: 'out of scope',
        why: 'images that are encrypted: --object and encryption',
        qemu: [2, /encryption=/],
        ours: [1, /^Formatting /]
      }
    ]
  ],
  ['050', same],
  ['052', same],
  ['053', same],
  ['054', [messages(2, 2)]],
  [
    '061',
    [
      {
        reason: 'our rule',
        why: 'under lazy refcounts the dirty bit is not set, and nothing is left to repair',
        clause: 'ORD-04',
        qemu: [14, /^incompatible_features|^ERROR |^Re(build|pair)ing |^refcount_table_offset/],
        ours: [4, /^incompatible_features +\[\]$|^refcount_table_offset/]
      },
      {
        reason: 'our rule',
        why: 'an amendment that is refused changes nothing; QEMU has changed the size',
        clause: 'AM-01',
        qemu: [1, /^size /],
        ours: [1, /^size /]
      },
      { reason: 'wording', why: 'steps of the progress', qemu: [2, /^ +\(/], ours: [2, /^ +\(/] },
      { ...messages(20, 17), qemu: [20, /^qemu: |^You can use |^This option is /] },
      {
        reason: 'our rule',
        why: 'a creation over a data file with data is refused, and what follows has no data file; info has more lines',
        clause: 'DATA-08',
        qemu: [9, /^ {4}data file/],
        ours: [
          54,
          /^(features|extensions|findings|verdict|image|file format|virtual size|cluster_size): |^Format specific|^ {4}/
        ]
      }
    ]
  ],
  ['062', same],
  ['063', same],
  ['069', [messages(1, 1)]],
  ['073', same],
  ['079', same],
  [
    '080',
    [
      refusedInfo(1, 6),
      { reason: 'wording', why: 'and the snapshots of such an image', qemu: [0], ours: [1, /^Snapshot list:$/] },
      messages(35, 30),
      {
        reason: 'our rule',
        why: 'a write does without the tables of snapshots, unless it would overwrite one',
        clause: 'INT-21',
        qemu: [2, /^write failed: /],
        ours: [3, /^write failed: |^wrote 4096|^4 KiB, /]
      },
      findings(8, 8)
    ]
  ],
  ['090', same],
  ['097', same],
  ['103', [messages(7, 6)]],
  ['104', same],
  ['105', same],
  ['107', same],
  ['111', [{ ...messages(2, 1), qemu: [2, /^qemu: |^Could not open backing image\.$/] }]],
  [
    '112',
    [
      {
        reason: 'wording',
        why: 'an option without a value that it may have is named first',
        qemu: [1, /^Formatting /],
        ours: [0]
      },
      {
        reason: 'our rule',
        why: 'a snapshot that is refused leaks nothing',
        clause: 'REF-07',
        qemu: [11, /^Leaked |^[12] leaked |^This means |^$/],
        ours: [6, /^Leaked |^1 leaked |^No errors |^$/]
      },
      { ...messages(9, 7), qemu: [9, /^qemu: |^ERROR: overflow |^Use qemu-img amend /] },
      findings(4, 5),
      { reason: 'wording', why: 'steps of the progress', qemu: [2, /^ +\(/], ours: [0] }
    ]
  ],
  [
    '114',
    [
      messages(2, 3),
      { reason: 'wording', why: 'an error begins with the name of the program', qemu: [1, /^no file open/], ours: [0] }
    ]
  ],
  ['115', same],
  ['121', same],
  ['122', same],
  [
    '126',
    [
      {
        reason: 'out of scope',
        why: "protocols: 'file:' before a name belongs to the name",
        qemu: [2, /^image: |^backing file: /],
        ours: [3, /^qemu: Could not create 'file:|^image: |^backing file: /]
      }
    ]
  ],
  [
    '138',
    [
      findings(4, 1),
      {
        reason: 'wording',
        why: 'JSON has its members in another order',
        qemu: [1, /^ {2}"corruptions-fixed": 1,$/],
        ours: [1, /^ {2}"corruptions-fixed": 1$/]
      }
    ]
  ],
  ['154', same],
  ['187', same],
  [
    '243',
    [
      {
        reason: 'our rule',
        why: 'a creation over a data file with data is refused',
        clause: 'DATA-08',
        qemu: [5, /^qcow2 file size: 327680$|^data disk usage: +high$/],
        ours: [8, /^qemu: .*would be deleted|^qcow2 file size: 196616$|^data disk usage: +low$/]
      }
    ]
  ],
  [
    '250',
    [
      {
        reason: 'our rule',
        why: 'clusters that a smaller disk frees are not punched; the file is truncated',
        clause: 'ZD-16',
        qemu: [1, /^Disk usage delta: 15728640$/],
        ours: [1, /^Disk usage delta: 5242880$/]
      }
    ]
  ],
  ['252', same],
  ['265', same],
  ['272', [findings(0, 101)]],
  ['279', same],
  ['287', same],
  ['290', same],
  ['292', same],
  ['305', [messages(1, 1)]],
  ['313', same]
])
