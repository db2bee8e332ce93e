/**
 * The mode of new files. Those of a manager are its user's alone, whatever mode they are made with. What it starts makes files
 * for its user, in the user's own repository too, and gets the umask that this program inherited.
 */
import { Effect, type Scope } from "effect"
import { umask } from "node:process"

const own = 0o077

/** What it was before; a process has only one. */
let inherited: number | undefined

/** New files are this user's alone, until the scope closes. */
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

/** Starts a process; it has the umask that this one inherited. */
export const withInherited = <A>(start: () => A): A => {
  if (inherited === undefined) return start()
  umask(inherited)
  try {
    return start()
  } finally {
    umask(own)
  }
}
