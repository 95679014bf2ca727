/** The report for people: qemu-img's lines, then features, extensions, findings and the verdict. */
import { isJsonList, isJsonObject, type Json, type JsonObject } from '../../bytes/json.js'
import { humanSize } from './human-size.js'
import { snapshotLines } from './snapshot-text.js'

const list = (json: Json | undefined): readonly Json[] => (isJsonList(json) ? json : [])
const field = (json: Json | undefined, key: string): Json | undefined => (isJsonObject(json) ? json[key] : undefined)

const plain = (json: Json | undefined): string => (typeof json === 'string' ? json : JSON.stringify(json ?? null))

const spaced = (key: string): string => key.replaceAll('-', ' ')

/** A value and what lies in it, indented. */
const nested = (key: string, value: Json, depth: number): readonly string[] => {
  const pad = '    '.repeat(depth)
  if (isJsonList(value)) return [`${pad}${spaced(key)}:`, ...value.flatMap((v, i) => nested(`[${i}]`, v, depth + 1))]
  if (isJsonObject(value))
    return [`${pad}${spaced(key)}:`, ...Object.entries(value).flatMap(([k, v]) => nested(k, v, depth + 1))]
  return [`${pad}${spaced(key)}: ${plain(value)}`]
}

const findingLine = (f: Json): string =>
  `    [${plain(field(f, 'clause'))}] byte ${plain(field(f, 'at'))}: ${plain(field(f, 'structure'))} ${plain(field(f, 'field'))}: found ${plain(field(f, 'found'))}, expected ${plain(field(f, 'expected'))}`

const optional = (label: string, value: Json | undefined): readonly string[] =>
  value === undefined ? [] : [`${label}: ${plain(value)}`]

/** The name of the backing file as the image has it, and from here where that is another one. */
const backingName = (info: JsonObject): string | undefined => {
  const [name, full] = [info['backing-filename'], info['full-backing-filename']]
  if (name === undefined) return undefined
  return name === full ? plain(name) : `${plain(name)} (actual path: ${plain(full)})`
}

const joined = (json: Json | undefined): string => {
  const items = list(json)
  return items.length === 0 ? 'none' : items.map(plain).join(', ')
}

const named = (label: string, d: Json | undefined): readonly string[] => {
  if (d === undefined) return []
  const format = field(d, 'format') === null ? ', format not named' : ''
  return [`${label} by ${field(d, 'kind') === 'empty' ? 'no' : plain(field(d, 'kind'))} name${format}`]
}

/** What stands out of a verdict, in one line. */
const verdictLine = (v: Json | undefined): string =>
  [
    ...(field(v, 'refused') === null ? [] : [`refused [${plain(field(v, 'refused'))}]`]),
    ...(field(v, 'self-contained') === true ? ['self-contained'] : []),
    ...named('backing file', field(v, 'backing')),
    ...named('data file', field(v, 'data-file')),
    ...list(field(v, 'unknown-features')).map((u) => `unknown feature ${plain(u)}`),
    ...list(field(v, 'unknown-extensions')).map((u) => `unknown extension ${plain(u)}`),
    ...(field(v, 'encryption') === 'none' ? [] : [`encryption ${plain(field(v, 'encryption'))}`]),
    ...['dirty', 'corrupt'].filter((flag) => field(v, flag) === true),
    `${humanSize(Number(field(v, 'virtual-size')))} of disk in ${humanSize(Number(field(v, 'file-length')))} of file`
  ].join(', ')

/** The lines on what is qcow2's own. */
export const specificLines = (specific: JsonObject): readonly string[] => [
  'Format specific information:',
  ...Object.entries(specific).flatMap(([k, v]) => nested(k, v, 1))
]

const heading = (info: JsonObject): readonly string[] => [
  `image: ${plain(info['filename'])}`,
  `file format: ${plain(info['format'])}`,
  `virtual size: ${humanSize(Number(info['virtual-size']))} (${plain(info['virtual-size'])} bytes)`,
  ...(info['actual-size'] === undefined ? [] : [`disk size: ${humanSize(Number(info['actual-size']))}`])
]

/** The report on a raw file as text. */
export const humanRaw = (info: JsonObject): string => `${heading(info).join('\n')}\n`

/** The report as text; `info` is that of `infoJson`. */
export const humanInfo = (info: JsonObject): string => {
  const findings = list(info['findings'])
  const specific = field(info['format-specific'], 'data')
  const lines = [
    ...heading(info),
    ...(info['encrypted'] === true ? ['encrypted: yes'] : []),
    `cluster_size: ${plain(info['cluster-size'])}`,
    ...(info['dirty-flag'] === true ? ['cleanly shut down: no'] : []),
    ...optional('backing file', backingName(info)),
    ...optional('backing file format', info['backing-filename-format']),
    ...snapshotLines(list(info['snapshots'])),
    ...specificLines(isJsonObject(specific) ? specific : {}),
    `features: ${joined(info['features'])}`,
    `extensions: ${joined(info['extensions'])}`,
    findings.length === 0 ? 'findings: none' : 'findings:',
    ...findings.map(findingLine),
    `verdict: ${verdictLine(info['verdict'])}`
  ]
  return `${lines.join('\n')}\n`
}
