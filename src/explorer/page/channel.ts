/** The channel to the worker, whose program is part of the page. */
import type { Reply, Request } from './protocol.js'

export interface Channel {
  readonly send: (request: Request) => void
}

/** Offers a file to be saved. */
const save = (name: string, blob: Blob): void => {
  const url = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}

/** Starts the worker; `onReply` gets its answers, but for the files to be saved. */
export const startWorker = (onReply: (reply: Reply) => void): Channel => {
  const program = document.getElementById('worker')?.textContent ?? ''
  const worker = new Worker(URL.createObjectURL(new Blob([program], { type: 'text/javascript' })))
  worker.onmessage = (event: MessageEvent<Reply>) => {
    if (event.data._tag === 'Download') save(event.data.name, event.data.blob)
    onReply(event.data)
  }
  worker.onerror = (event) => {
    onReply({ _tag: 'Failed', reason: event.message })
  }
  return { send: (request) => worker.postMessage(request) }
}
