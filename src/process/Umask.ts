/**
 * The mode of new files. Those of a manager are its user's alone, whatever mode they are made with. What it starts makes files
 * for its user, in the user's own repository too, and gets the umask that this program was given.
 */
import { Effect, type Scope } from "effect"
import { umask } from "node:process"

const own = 0o077

/** What it was before; it belongs to the whole process. */
let given: number | undefined

/** New files are this user's alone, until the scope closes. */
export const restrictive: Effect.Effect<void, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => {
    const before = given
    const found = umask(own)
    given ??= found
    return before
  }),
  (before) =>
    Effect.sync(() => {
      if (before !== undefined || given === undefined) return
      umask(given)
      given = undefined
    })
)

/** Starts a process; it has the umask that this one was given. */
export const withInherited = <A>(start: () => A): A => {
  if (given === undefined) return start()
  umask(given)
  try {
    return start()
  } finally {
    umask(own)
  }
}
