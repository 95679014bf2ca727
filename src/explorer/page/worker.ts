/** The worker of the page: opens images, and lets a session answer. */
import * as E from 'fp-ts/lib/Either.js'
import type { ImageSource, Reply, Request } from './protocol.js'
import { Session } from './session.js'
import { type OpenImage, openImage } from './sources.js'

const send = (reply: Reply): void => {
  postMessage(reply)
}

/** The image and its session; `opening` is the last source that the page asked to open. */
const state: { opening?: ImageSource; image?: OpenImage; session?: Session } = {}

const handle = async (request: Request): Promise<void> => {
  switch (request._tag) {
    case 'Open': {
      state.session?.close()
      state.opening = request.source
      const image = await openImage(request.source)
      if (state.opening !== request.source) return
      if (E.isLeft(image)) {
        send({ _tag: 'Failed', reason: image.left.reason })
        return
      }
      state.image = image.right
      state.session = new Session(image.right, [], send)
      await state.session.start()
      break
    }
    case 'Edits':
      state.session?.close()
      if (state.image === undefined) return
      state.session = new Session(state.image, request.edits, send, state.session?.decryption)
      await state.session.start()
      break
    case 'Cancel':
      state.session?.cancel()
      break
    default:
      await state.session?.answer(request)
  }
}

addEventListener('message', (event: MessageEvent<Request>) => {
  handle(event.data).catch((error: unknown) => {
    send({ _tag: 'Failed', reason: error instanceof Error ? error.message : String(error) })
  })
})
