/** The options of commands: a line for each that changes an outcome, and lists of the others. */
import { canTrace } from './strace.js'

/** Ignored options, and why no outcome depends on them. */
export const ignored: Readonly<Record<string, string>> = {
  '-T, --cache <mode>': 'how the system caches what is read',
  '-T, --source-cache <mode>': 'how the system caches what is read',
  '-T, --backing-cache <mode>': 'how the system caches what is read',
  '-t, --target-cache <mode>': 'how the system caches what is written',
  '-t, --cache <mode>': 'how the system caches what is written, which is durable when the command ends',
  '-q, --quiet': 'nothing is printed anyway',
  '-W, --oob-writes': 'the order of the writes to a file that appears when it is complete',
  '-C, --copy-range-offloading': 'how bytes are copied',
  '-m, --parallel <n>': 'how many requests are in flight',
  '--cache <mode>': 'how the system caches',
  '--aio <mode>': 'how the system is called',
  '-n, --nocache': 'how the system caches',
  '-i, --aio <mode>': 'how the system is called',
  '-k, --native-aio': 'how the system is called',
  '-m, --misalign': 'where buffers are in memory',
  '--force': 'what it permits is only for LUKS keys'
}

/** A line on images of a server that wants a header, is slow, and redirects to another host. */
const remote = (line: string): readonly string[] => [
  line.replace('IMAGE', '[--header X-Key:1] KEYED'),
  line.replace('IMAGE', '[--timeout 0.05] SLOW'),
  line.replace('IMAGE', '[--allow-redirect] AWAY'),
  line.replace('IMAGE', '[--decompress] a.gz'),
  line.replace(/^\w+/, '$& --decompress [--spool-limit 64k]').replace('IMAGE', 'a.gz')
]
const reading = (line: string): readonly string[] => [...remote(line), line.replace('IMAGE', '[-U] BUSY')]
const allowing = (line: string): string => line.replace('IMAGE', '[--allow FOLDER] OVER')
const byOptions = (line: string): string => line.replace('IMAGE', '[--image-opts] driver=qcow2,file.filename=a.qcow2')

/** A line on an encrypted image, whose password it has. */
const withKey = (line: string): string =>
  line.replace(
    'IMAGE',
    '[--object secret,id=s,data=abc] --image-opts driver=qcow2,file.filename=aes.qcow2,encrypt.key-secret=s'
  )
/** A line of a command that needs no key: a secret without a password is refused there too. */
const withoutKey = (line: string): string => line.replace('IMAGE', '[--object secret,id=s] a.qcow2')

/**
 * For each command, lines that have another outcome without what is in brackets, or with what follows `|` there. `BUSY` is an
 * image that another process writes, `OVER` an overlay with a backing file in another folder, `FOLDER` that folder.
 */
export const lines: Readonly<Record<string, readonly string[]>> = {
  info: [
    withoutKey('info IMAGE'),
    ...reading('info IMAGE'),
    byOptions('info IMAGE'),
    allowing('info --backing-chain IMAGE'),
    'info [-f raw] a.qcow2',
    'info [--output=json] a.qcow2',
    'info [--limits] a.qcow2',
    'info [--like 11] a.qcow2',
    'info [--backing-chain] over.qcow2'
  ],
  check: [
    withKey('check IMAGE'),
    ...reading('check IMAGE'),
    byOptions('check IMAGE'),
    'check [--allow FOLDER] data.qcow2',
    'check [-f raw] a.qcow2',
    'check [--output=json] a.qcow2',
    'check --deep [--strict] deep.qcow2',
    'check [--deep] deep.qcow2',
    'check [-r all] leak.qcow2',
    'check [-q] a.qcow2'
  ],
  map: [
    withKey('map --output=json IMAGE'),
    ...reading('map IMAGE'),
    byOptions('map IMAGE'),
    allowing('map IMAGE'),
    'map [-f raw] a.qcow2',
    'map [--output=json] a.qcow2',
    'map --output=json [--like 10] a.qcow2',
    'map [--snapshot s] a.qcow2',
    'map [--bitmap b] a.qcow2',
    'map [-s 96k] a.qcow2',
    'map [-l 80k] a.qcow2'
  ],
  read: [
    withKey('read IMAGE 0 4'),
    ...reading('read IMAGE 0 4'),
    allowing('read IMAGE 0 4'),
    byOptions('read IMAGE 0 4'),
    'read [-f raw] a.qcow2 0 4',
    'read [-l s] a.qcow2 0 4',
    'read -l vm [--vm-state] vm.qcow2 64k 5'
  ],
  compare: [
    'compare [--object secret,id=s,data=abc] --image-opts driver=qcow2,file.filename=aes.qcow2,encrypt.key-secret=s ' +
      'driver=qcow2,file.filename=a.qcow2',
    ...reading('compare IMAGE a.qcow2'),
    'compare [--image-opts] driver=qcow2,file.filename=a.qcow2 driver=qcow2,file.filename=a.qcow2',
    allowing('compare IMAGE a.qcow2'),
    'compare [-f raw] a.qcow2 a.qcow2',
    'compare [-F raw] a.qcow2 a.qcow2',
    'compare [-s] a.qcow2 longer.qcow2',
    'compare [-p] a.qcow2 a.qcow2',
    'compare [-q] a.qcow2 a.qcow2'
  ],
  explain: [
    withoutKey('explain IMAGE 8'),
    ...reading('explain IMAGE 8'),
    byOptions('explain IMAGE 8'),
    'explain [-f raw] a.qcow2 8',
    'explain [--output=json] a.qcow2 8'
  ],
  dump: [
    ...reading('dump IMAGE'),
    withoutKey('dump IMAGE'),
    byOptions('dump IMAGE'),
    'dump [-f raw] a.qcow2',
    'dump [--data=inline] a.qcow2'
  ],
  assemble: [],
  metadump: [
    ...reading('metadump IMAGE new'),
    byOptions('metadump IMAGE new'),
    withoutKey('metadump IMAGE new'),
    'metadump [-f raw] a.qcow2 new',
    'metadump [--keep-names] a.qcow2 new'
  ],
  measure: [
    withKey('measure IMAGE'),
    ...reading('measure -O qcow2 IMAGE'),
    byOptions('measure -O qcow2 IMAGE'),
    allowing('measure IMAGE'),
    'measure [-f raw] a.qcow2',
    'measure [-O qcow2] a.qcow2',
    'measure -O qcow2 [-o cluster_size=4k] a.qcow2',
    'measure -O qcow2 [-l s] a.qcow2',
    'measure [--output=json] a.qcow2',
    'measure [-s 1M]'
  ],
  create: [
    'create -q [-f raw] new 1M',
    'create -q [-b a.qcow2] -F qcow2 new 1M',
    'create -q -b a.qcow2 [-F qcow2] new 1M',
    'create -q [-u] -b absent.qcow2 -F qcow2 new 1M',
    'create -q [-o cluster_size=4k] new 1M',
    'create [-q] new 1M'
  ],
  convert: [
    withKey('convert IMAGE new'),
    ...reading('convert IMAGE new'),
    allowing('convert IMAGE new'),
    byOptions('convert IMAGE new'),
    'convert -n [--target-image-opts] a.qcow2 driver=qcow2,file.filename=longer.qcow2',
    'convert [-f raw] a.qcow2 new',
    'convert [-O qcow2] a.qcow2 new',
    'convert [-l s] a.qcow2 new',
    'convert -O qcow2 [-c] a.qcow2 new',
    'convert -O qcow2 [-o cluster_size=4k] a.qcow2 new',
    'convert -O qcow2 [-B a.qcow2] -F qcow2 over.qcow2 new',
    'convert -O qcow2 -B a.qcow2 [-F qcow2] over.qcow2 new',
    'convert -O qcow2 [-n] a.qcow2 longer.qcow2',
    'convert -O qcow2 -n [--target-is-zero] old.qcow2 a.qcow2',
    'convert -O qcow2 [--bitmaps] a.qcow2 new',
    'convert [--strict] cut.qcow2 new',
    'convert [--salvage] deep.qcow2 new',
    'convert -O qcow2 --bitmaps [--skip-broken-bitmaps] in-use.qcow2 new',
    'convert -O qcow2 [-S 0] a.qcow2 new',
    'convert [-p] a.qcow2 new',
    'convert -p [-q] a.qcow2 new'
  ],
  dd: [
    'dd [--object secret,id=s,data=abc] --image-opts ' +
      'if=driver=qcow2,file.filename=aes.qcow2,encrypt.key-secret=s of=new',
    'dd [--header X-Key:1] if=KEYED of=new',
    'dd [--timeout 0.05] if=SLOW of=new',
    'dd [--allow-redirect] if=AWAY of=new',
    'dd [--decompress] if=a.gz of=new',
    'dd --decompress [--spool-limit 64k] if=a.gz of=new',
    'dd [-U] if=BUSY of=new',
    'dd [--allow FOLDER] if=OVER of=new',
    'dd [-f raw] if=a.qcow2 of=new',
    'dd [--image-opts] if=driver=qcow2,file.filename=a.qcow2 of=new',
    'dd [-O qcow2] if=a.qcow2 of=new'
  ],
  io: [
    withKey('io -c info IMAGE'),
    'io -r [-U] -c info BUSY',
    'io -c info [--image-opts] driver=qcow2,file.filename=a.qcow2',
    'io -c info [--allow FOLDER] OVER',
    'io [-f raw] -c info a.qcow2',
    'io [-c info] a.qcow2',
    "io [-C] -c 'read -q 512k 64k' a.qcow2",
    "io [-r] -c 'write -q 0 1k' a.qcow2",
    "io [-s] -c 'write -q 0 1k' a.qcow2",
    "io [-t writethrough] -c 'write -q -P 9 0 64k' -c 'write -q -s a.qcow2 64k 960k' a.qcow2",
    "io [-d ignore] -c 'discard -q 0 64k' a.qcow2",
    'io -r -c info --image-opts driver=qcow2,file.filename=BUSY[,file.locking=off]',
    'io -r -c info --image-opts driver=qcow2,file.filename=BUSY[,force-share=on]',
    "io -c 'discard -q 0 64k' --image-opts driver=qcow2,file.filename=a.qcow2[,discard=off]",
    "io -c 'write -q -P 0 0 64k' --image-opts driver=qcow2,file.filename=a.qcow2[,detect-zeroes=on]",
    "io -c 'write -q -P 0 0 64k' --image-opts driver=qcow2,file.filename=a.qcow2,detect-zeroes=[unmap|on]",
    "io -c 'read -q 0 64k' --image-opts driver=qcow2,file.filename=old.qcow2[,lazy-refcounts=on]",
    "io -c 'write -q 0 1k' --image-opts driver=qcow2,file.filename=a.qcow2[,read-only=on]"
  ],
  snapshot: [
    withKey('snapshot -l IMAGE'),
    ...remote('snapshot -l IMAGE'),
    byOptions('snapshot -l IMAGE'),
    'snapshot [-U] -l BUSY',
    'snapshot [-f raw] -l a.qcow2',
    'snapshot -c t [--allow FOLDER] data.qcow2',
    'snapshot [-l] -c t a.qcow2',
    'snapshot [--like 10] a.qcow2',
    'snapshot [-c t] a.qcow2',
    'snapshot [-a s] a.qcow2',
    'snapshot [-d s] a.qcow2'
  ],
  bitmap: [
    withKey('bitmap --add IMAGE c'),
    ...remote('bitmap --merge b -b IMAGE a.qcow2 b'),
    'bitmap --add [--image-opts] driver=qcow2,file.filename=a.qcow2 c',
    'bitmap --add [--allow FOLDER] data.qcow2 c',
    'bitmap [-f raw] --add a.qcow2 c',
    'bitmap [--add] a.qcow2 c',
    'bitmap [--remove] a.qcow2 b',
    'bitmap [--remove-all] a.qcow2',
    'bitmap [--clear] a.qcow2 b',
    'bitmap [--enable] off.qcow2 b',
    'bitmap [--disable] a.qcow2 b',
    'bitmap --clear [--merge c] two.qcow2 b',
    'bitmap --add [-g 4k] a.qcow2 c',
    'bitmap --merge c [-b two.qcow2] a.qcow2 b',
    'bitmap --merge c -b two.qcow2 [-F raw] a.qcow2 b'
  ],
  resize: [
    withKey('resize IMAGE 8M'),
    'resize [--image-opts] driver=qcow2,file.filename=a.qcow2 2M',
    'resize [--allow FOLDER] OVER 2M',
    'resize [-f raw] a.qcow2 2M',
    'resize [--preallocation=metadata] longer.qcow2 4M',
    'resize [--shrink] longer.qcow2 1M',
    'resize [-q] longer.qcow2 4M'
  ],
  amend: [
    withKey('amend -o lazy_refcounts=on IMAGE'),
    'amend -o lazy_refcounts=on [--image-opts] driver=qcow2,file.filename=a.qcow2',
    'amend -o lazy_refcounts=on [--allow FOLDER] OVER',
    'amend [-f raw] -o lazy_refcounts=on a.qcow2',
    'amend [-p] -o lazy_refcounts=on a.qcow2',
    'amend [-o lazy_refcounts=on] a.qcow2'
  ],
  rebase: [
    withKey("rebase -u -b '' IMAGE"),
    "rebase -u -b '' [--image-opts] driver=qcow2,file.filename=over.qcow2",
    "rebase -b '' [--allow FOLDER] OVER",
    "rebase [-f raw] -u -b '' over.qcow2",
    "rebase [-u] -b '' over.qcow2",
    'rebase -u [-b a.qcow2] -F qcow2 over.qcow2',
    'rebase -b a.qcow2 [-F qcow2] over.qcow2',
    "rebase [-p] -b '' over.qcow2",
    "rebase -p [-q] -b '' over.qcow2",
    "rebase [-c] -b '' over.qcow2",
    'rebase [-U] -b BUSY -F qcow2 over.qcow2'
  ],
  commit: [
    withKey('commit IMAGE'),
    'commit [--image-opts] driver=qcow2,file.filename=over.qcow2',
    'commit [--allow FOLDER] OVER',
    'commit [-f raw] over.qcow2',
    'commit [-b a.qcow2] over.qcow2',
    'commit [-d] over.qcow2',
    'commit [-p] over.qcow2',
    'commit [-q] over.qcow2'
  ],
  conform: [
    "conform --only magic [--reader 'true {image}']",
    "conform --only magic [--checker 'true {image}']",
    "conform --only magic [--shell] --reader 'true {image}; exit 1'",
    "conform --only magic [--only version-4] --reader 'true {image}'",
    'conform --only magic [--extract there]',
    "conform --only magic --shell [--time 1] --reader 'sleep 1.5; true {image}'",
    "conform --only magic --shell [--memory 1] --reader 'sleep 0.5; true {image}'",
    "conform --only magic --reader 'true {image}' [--output json]",
    "conform --only past-end [--writer 'true {image} {offset} {data}']",
    "conform --only shared-zero --writer 'true {image} {offset} {data}' [--zero 'true {image} {offset} {length}']",
    "conform --only shared-discard --writer 'true {image} {offset} {data}' [--discard 'false {image} {offset} {length}']",
    "conform --only flush --writer 'true {image} {offset} {data}' [--flush 'true {image}']",
    "conform --only snapshot-data-file --writer 'true {image} {offset} {data}' [--snapshot 'true {image} {name}']"
  ],
  fuzz: [
    'fuzz --count 2 [--out there]',
    'fuzz --out there [--count 2|--count 3]',
    'fuzz --out there --count 2 [--seed 2]',
    'fuzz --out there --count 2 [--shard 1/2]',
    "fuzz --count 1 [--reader 'false {image}']",
    "fuzz --count 1 --seed 8 --reader 'false {image}' [--against 'false {image}']",
    "fuzz --count 1 [--shell] --reader 'false {image}; true'",
    "fuzz --shell [--time 1] --reader 'sleep 1.5; false {image}' --replay a.qcow2",
    "fuzz --shell [--memory 1] --reader 'sleep 0.5; false {image}' --replay a.qcow2",
    "fuzz --count 1 --seed 8 --reader 'false {image}' [--finds there]",
    "fuzz --count 1 --reader 'false {image}' [--output json]",
    "fuzz --count 1 --reader 'true {image}' [--replay a.qcow2]",
    'fuzz [--merge] campaign.jsonl',
    'fuzz --count 20 [--corpus there]',
    'fuzz --count 20 --corpus there [--dict qcow2.dict]',
    'fuzz [--mutate]'
  ],
  crash: canTrace
    ? [
        'crash [--expect any] a.qcow2 -- true',
        'crash [--states 4] a.qcow2 -- dd conv=notrunc if=two.qcow2 of=a.qcow2 bs=512 count=6 seek=1000',
        'crash --expect any --states 20 [--seed 2] a.qcow2 -- dd conv=notrunc if=two.qcow2 of=a.qcow2 bs=512 count=6 seek=1000',
        'crash [--shard 2/2] a.qcow2 -- true',
        'crash [--save there] a.qcow2 -- dd conv=notrunc if=/dev/zero count=1 of=a.qcow2',
        'crash [--time 1] a.qcow2 -- sleep 1.5',
        'crash [--allow FOLDER] OVER -- true',
        'crash [--output json] a.qcow2 -- true'
      ]
    : []
}

/** Options whose effect is a time: rate-limit.test.ts shows that of the first. */
export const timed = ['-r, --rate-limit <bytes>', '--jobs <n>', '--minutes <n>']

/** Options of `explore`, whose effects browsers see: explore.test.ts shows them. */
const explored: readonly string[] = [
  '--decompress',
  '--spool-limit <bytes>',
  '-p, --port <port>',
  '-U, --force-share',
  '--header <line>',
  '--timeout <seconds>',
  '--allow-redirect'
]

/** Options of `nbd`, whose effects clients see: nbd.test.ts and nbd-options.test.ts show them. */
const ofNbd: readonly string[] = [
  '-f, --format <format>',
  '--image-opts',
  '--object <definition>',
  '-k, --socket <path>',
  '-b, --bind <address>',
  '-p, --port <port>',
  '-r, --read-only',
  '-l, --load-snapshot <id or name>',
  '-B, --bitmap <name>',
  '-A, --allocation-depth',
  '-x, --export-name <name>',
  '-D, --description <text>',
  '-t, --persistent',
  '-e, --shared <n>',
  '--discard <mode>',
  '--detect-zeroes <mode>',
  '--pid-file <path>',
  '--allow <folder>'
]

/** Options of commands that serve. */
export const served: Readonly<Record<string, readonly string[]>> = { nbd: ofNbd, explore: explored }
