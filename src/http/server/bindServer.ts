import { Effect } from "effect"
import type { Server } from "node:http"
import { umask } from "node:process"

/** Makes the server listen; a socket is private to this user. */
export const bindServer = (
  server: Server,
  where: { readonly path: string } | { readonly host: string; readonly port: number }
): Effect.Effect<void, NodeJS.ErrnoException> =>
  Effect.async((resume) => {
    const onError = (error: NodeJS.ErrnoException): void => resume(Effect.fail(error))
    server.once("error", onError)
    // `listen` creates the socket with mode 0600; with a chmod afterwards, others could connect in between.
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
