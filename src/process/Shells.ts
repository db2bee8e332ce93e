/**
 * Shells that stand by to start short programs, git above all.
 *
 * A process is started by copying one, and this one is large: to copy what the kernel notes of its memory takes a
 * millisecond, in which nothing else is done here, and then each page that is written is noted anew. A shell is small. So it
 * is the shell that starts the program, and this process sends it a line and reads what comes of it. A shell that has nothing
 * to do for a while goes.
 */
import { Duration, Effect, Runtime, type Scope } from "effect"
import * as Shell from "./Shell.js"

export interface Shells {
  /**
   * Runs a program to its end, in a session of its own that a terminal's Ctrl-C does not reach. Interruption tells it to
   * end, kills it when it does not, and returns when it is over.
   */
  readonly run: (program: Shell.Program) => Effect.Effect<Shell.Ended, Shell.NotTold>
}

/** How long a shell without work stays, in milliseconds. */
const patience = 5_000

/** What a timer of Node's can wait. */
const longest = 2 ** 31 - 1

/** Shells whose programs get these variables, and beside their own no others. They are gone when the scope has closed. */
export const make = (env: Readonly<Record<string, string>>): Effect.Effect<Shells, never, Scope.Scope> =>
  Effect.gen(function* () {
    const idle = new Map<Shell.Shell, NodeJS.Timeout>()
    let isClosed = false

    /** One that waits, the last that came, or a new one. */
    const take = (): Shell.Shell => {
      const [shell] = [...idle.keys()].slice(-1)
      if (shell === undefined) {
        const opened = Shell.open(env, () => forget(opened))
        return opened
      }
      forget(shell)
      shell.hold(true)
      return shell
    }
    const forget = (shell: Shell.Shell) => {
      clearTimeout(idle.get(shell))
      idle.delete(shell)
    }
    const dismiss = (shell: Shell.Shell) => {
      forget(shell)
      shell.dismiss()
    }
    const giveBack = (shell: Shell.Shell) => {
      if (isClosed) return dismiss(shell)
      shell.hold(false)
      // oxlint-disable-next-line no-restricted-globals -- no fiber waits, and this process does not stay for it
      idle.set(shell, setTimeout(dismiss, patience, shell).unref())
    }
    yield* Effect.addFinalizer(() =>
      Effect.gen(function* () {
        isClosed = true
        const dismissed = [...idle.keys()]
        dismissed.forEach(dismiss)
        // They go at once.
        yield* Shell.goneWithin(dismissed, 1_000)
      })
    )

    return {
      run: (program) =>
        Effect.flatMap(Effect.runtime(), (runtime) =>
          Effect.async((resume) => {
            const { args, cwd, file, first = [], variables } = program
            const texts = [file, cwd, ...args, ...first.flatMap((call) => call.args), ...Object.values(variables)]
            if (texts.some((text) => text.includes("\0")))
              return resume(new Shell.NotTold({ message: "a NUL character cannot be handed on" }))
            const shell = take()
            let isEnding = false
            const ending = Effect.suspend(() => {
              isEnding = true
              clearTimeout(timer)
              return Shell.end(shell)
            })
            const giveUp = () => {
              const message = `it took longer than ${Duration.format(program.limit)} and was ended`
              Runtime.runFork(runtime)(ending).addObserver(() => resume(new Shell.NotTold({ message })))
            }
            // oxlint-disable-next-line no-restricted-globals -- git lives by the clock on the wall; a fiber of its own costs as much as the rest
            const timer = setTimeout(giveUp, Math.min(Duration.toMillis(program.limit), longest))
            shell.send(program, (exit) => {
              clearTimeout(timer)
              if (isEnding) return
              if (!shell.isGone()) giveBack(shell)
              resume(exit instanceof Shell.NotTold ? exit : Effect.succeed(exit))
            })
            return ending
          })
        )
    }
  })
