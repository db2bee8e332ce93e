/**
 * The umask. A manager's files are accessible only to its user, regardless of the mode at creation. The programs that it starts
 * create files for the user, also in the user's own repository, and get the umask that this program inherited.
 */
import { Effect, type Scope } from "effect"
import { umask } from "node:process"

const own = 0o077

/** The umask before `restrictive`; a process has only one. */
let inherited: number | undefined

/** Makes new files accessible to this user only, until the scope closes. */
export const restrictive: Effect.Effect<void, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => {
    const before = inherited
    const found = umask(own)
    inherited ??= found
    return before
  }),
  (before) =>
    Effect.sync(() => {
      if (before !== undefined || inherited === undefined) return
      umask(inherited)
      inherited = undefined
    })
)

/** Starts a process with the umask that this one inherited. */
export const withInherited = <A>(start: () => A): A => {
  if (inherited === undefined) return start()
  umask(inherited)
  try {
    return start()
  } finally {
    umask(own)
  }
}
