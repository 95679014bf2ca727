/** Files that are changed by commands: an image in a session, or a raw file. */
import type * as E from 'fp-ts/lib/Either.js'
import type { Issue } from '../../bytes/issue.js'
import type { Read } from '../../bytes/plan.js'
import type { Chain } from '../../image/guest/chain.js'
import type { AnyCommand } from '../../transition/command.js'

/** What may be changed: an image, or a raw file. */
export interface Changes {
  readonly chain: Chain
  readonly read: (request: Read) => Uint8Array
  readonly command: (command: AnyCommand) => E.Either<readonly Issue[], void>
  /** Makes everything durable. */
  readonly end: () => void
}
