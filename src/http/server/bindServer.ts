import { Effect } from "effect"
import type { Server } from "node:http"
import { umask } from "node:process"

/** Has the server listen; a socket is for this user only. */
export const bindServer = (
  server: Server,
  where: { readonly path: string } | { readonly host: string; readonly port: number }
): Effect.Effect<void, NodeJS.ErrnoException> =>
  Effect.async((resume) => {
    const onError = (error: NodeJS.ErrnoException): void => resume(Effect.fail(error))
    server.once("error", onError)
    // `listen` creates the socket with mode 0600; a chmod afterwards would leave a moment in which others could connect.
    const before = umask(0o177)
    try {
      server.listen(where, () => {
        server.off("error", onError)
        resume(Effect.void)
      })
    } finally {
      umask(before)
    }
  })
