/** The structures as a tree, of which only the nodes that are open exist. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Node, TableRef } from '../outline.js'
import { useExplorer } from './context.js'
import type { State } from './state.js'

/** A line of the tree: a node, or what reads more of its siblings. */
type Line =
  | {
      readonly _tag: 'Node'
      readonly id: string
      readonly node: Node
      readonly depth: number
      readonly isOpen?: boolean
    }
  | {
      readonly _tag: 'More'
      readonly id: string
      readonly parent: string
      readonly table: TableRef
      readonly from: number
      readonly depth: number
    }

const isTable = (children: Node['children']): children is TableRef => 'structure' in children

/** The lines in sight of a part of the tree. */
const linesOf = (state: State, nodes: readonly Node[], depth: number): readonly Line[] =>
  nodes.flatMap((node): readonly Line[] => {
    const { id, children } = node
    if (!isTable(children) && children.length === 0) return [{ _tag: 'Node', id, node, depth }]
    const isOpen = state.open.has(id)
    const own: Line = { _tag: 'Node', id, node, depth, isOpen }
    if (!isOpen) return [own]
    if (!isTable(children)) return [own, ...linesOf(state, children, depth + 1)]
    const page = state.pages.get(id)
    const more: readonly Line[] =
      page?.next === undefined
        ? []
        : [{ _tag: 'More', id: `${id}/more`, parent: id, table: children, from: page.next, depth: depth + 1 }]
    return [own, ...linesOf(state, page?.nodes ?? [], depth + 1), ...more]
  })

/** Reads the children of tables that are open and have none yet. */
const useChildren = (lines: readonly Line[]): void => {
  const { state, send } = useExplorer()
  const asked = useRef(new Set<string>())
  useEffect(() => {
    for (const line of lines) {
      if (line._tag !== 'Node' || line.isOpen !== true || !isTable(line.node.children)) continue
      const key = `${line.id} ${state.summary?.name ?? ''} ${state.edits.length} ${state.isIndexed ? 1 : 0}`
      if (state.pages.has(line.id) || asked.current.has(key)) continue
      asked.current.add(key)
      send({ _tag: 'Children', id: line.id, table: line.node.children, from: 0 })
    }
  })
}

interface LineProps {
  readonly line: Line
  readonly isCurrent: boolean
  readonly isSelected: boolean
  readonly onPick: () => void
}

const LineView = ({ line, isCurrent, isSelected, onPick }: LineProps) => {
  const { dispatch } = useExplorer()
  const isOpen = line._tag === 'Node' ? line.isOpen : undefined
  return (
    <li
      id={`line-${line.id}`}
      role="treeitem"
      aria-level={line.depth + 1}
      aria-selected={isSelected}
      {...(isOpen === undefined ? {} : { 'aria-expanded': isOpen })}
      class={`${isCurrent ? 'current' : ''} ${isSelected ? 'selected' : ''}`}
      style={{ paddingLeft: `${8 + 14 * line.depth}px` }}
      onClick={onPick}
    >
      <span
        class="twist"
        aria-hidden="true"
        onClick={(event) => {
          if (isOpen === undefined) return
          event.stopPropagation()
          dispatch({ _tag: 'Toggle', id: line.id })
        }}
      >
        {isOpen === undefined ? '' : isOpen ? '\u25be' : '\u25b8'}
      </span>
      {line._tag === 'Node' ? (
        <>
          <i class={`dot k-${line.node.kind}`} aria-hidden="true" />
          <span class="name">{line.node.title}</span> <span class="detail">{line.node.detail}</span>
        </>
      ) : (
        <span class="more">more from entry {line.from}</span>
      )}
    </li>
  )
}

/** The line of the structure that holds the selected byte: the deepest of those in sight. */
const selectedLine = (lines: readonly Line[], at: number): string | undefined =>
  lines.findLast((l) => l._tag === 'Node' && l.node.at <= at && at < l.node.at + l.node.size)?.id

export const Tree = () => {
  const { state, dispatch, send, go } = useExplorer()
  const lines = linesOf(state, state.summary?.outline ?? [], 0)
  const [current, setCurrent] = useState('header')
  useChildren(lines)
  const selected = selectedLine(lines, state.place.at)
  const i = Math.max(
    0,
    lines.findIndex(({ id }) => id === current)
  )
  const pick = (line: Line | undefined): void => {
    if (line === undefined) return
    setCurrent(line.id)
    if (line._tag === 'More') send({ _tag: 'Children', id: line.parent, table: line.table, from: line.from })
    else if (line.node.at < (state.summary?.fileLength ?? 0)) go(line.node.at, { view: 'bytes' })
  }
  const moveTo = (n: number): void => {
    const line = lines[Math.max(0, Math.min(lines.length - 1, n))]
    if (line === undefined) return
    setCurrent(line.id)
    document.getElementById(`line-${line.id}`)?.scrollIntoView({ block: 'nearest' })
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const line = lines[i]
    const isOpen = line?._tag === 'Node' ? line.isOpen : undefined
    const keys: Readonly<Record<string, () => void>> = {
      ArrowDown: () => moveTo(i + 1),
      ArrowUp: () => moveTo(i - 1),
      Home: () => moveTo(0),
      End: () => moveTo(lines.length - 1),
      Enter: () => pick(line),
      ' ': () => pick(line),
      ArrowRight: () => {
        if (isOpen === false) dispatch({ _tag: 'Toggle', id: line?.id ?? '' })
        else if (isOpen === true) moveTo(i + 1)
      },
      ArrowLeft: () => {
        if (isOpen === true) dispatch({ _tag: 'Toggle', id: line?.id ?? '' })
        else moveTo(lines.findLastIndex((l, k) => k < i && l.depth < (line?.depth ?? 0)))
      }
    }
    const act = keys[event.key]
    if (act === undefined || event.altKey || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    act()
  }
  return (
    <section class="tree">
      <h2>Structures</h2>
      <ul
        role="tree"
        aria-label="Structures"
        tabIndex={0}
        aria-activedescendant={`line-${lines[i]?.id ?? ''}`}
        onKeyDown={onKeyDown}
      >
        {lines.map((line, k) => (
          <LineView
            key={line.id}
            line={line}
            isCurrent={k === i}
            isSelected={line.id === selected}
            onPick={() => pick(line)}
          />
        ))}
      </ul>
    </section>
  )
}
