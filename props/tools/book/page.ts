/** A page of the book, and the frame around all pages. */
import { escaped } from './html.js'

/** The folder of the book that has the documentation of the library. */
export const apiFolder = 'api'

export interface Page {
  readonly title: string
  /** HTML. */
  readonly body: string
}

export const framed = ({ title, body }: Page): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title><link rel="stylesheet" href="style.css"></head>
<body><header><a href="index.html">qcow2</a><nav><a href="clauses.html">Clauses</a> <a href="fields.html">Fields</a> <a href="messages.html">Messages</a> <a href="${apiFolder}/index.html">Library</a></nav>
<label>Search <input id="search" type="search" autocomplete="off" aria-controls="found"></label></header>
<ul id="found" aria-live="polite"></ul><main>${body}</main>
<script src="search-index.js"></script><script src="search.js"></script></body></html>
`
