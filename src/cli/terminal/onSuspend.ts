/**
 * Ctrl-Z: runs an effect before the process is suspended, such as one that clears what a shell would write over.
 */
import { Effect, Runtime, type Scope } from "effect"

export const onSuspend = (clear: Effect.Effect<void>): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const runFork = Runtime.runFork(yield* Effect.runtime())
    const suspend = Effect.sync(() => {
      // Without a listener, the signal has its default effect, which depends on the shell.
      process.off("SIGTSTP", onSignal)
      process.kill(process.pid, "SIGTSTP")
    })
    const onSignal = () => void runFork(Effect.zipRight(clear, suspend))
    const listen = () => {
      if (!process.listeners("SIGTSTP").includes(onSignal)) process.on("SIGTSTP", onSignal)
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        listen()
        process.on("SIGCONT", listen)
      }),
      () =>
        Effect.sync(() => {
          process.off("SIGTSTP", onSignal)
          process.off("SIGCONT", listen)
        })
    )
  })
