/** Pieces of Markdown. */

/** A line of a table: cells from left to right. */
export type Line = readonly string[]

/** A sentence's beginning. */
export const upper = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`

/** A table and an empty line; nothing without lines. */
export const table = (head: Line, lines: readonly Line[]): readonly string[] =>
  lines.length === 0
    ? []
    : [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).concat('')
