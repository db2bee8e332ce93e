/**
 * Shows output in the user's pager, as git does.
 */
import { Config, Effect, Option } from "effect"
import { spawn } from "node:child_process"
import { type Service, OutputClosed } from "./Output.js"

/** `less` unless another one is set, with the variables that git sets: quit if it fits on one screen, and pass colours on. */
const script =
  'export LESS="${LESS-FRX}" LV="${LV--c}"; if [ -n "$1" ]; then eval "$1"; elif command -v less >/dev/null 2>&1; then less; else cat; fi'

const variable = (name: string) => Effect.option(Config.string(name))

/** The configured pager, if any. */
const chosen = Effect.zipWith(variable("GIT_PAGER"), variable("PAGER"), (git, general) =>
  Option.getOrUndefined(Option.orElse(git, () => general))
)

/** Returns once the user has quit the pager; output that it did not read is discarded. */
export const withPager = <E, R>(
  output: Pick<Service, "write">,
  use: (write: Service["write"]) => Effect.Effect<void, E, R>
) =>
  Effect.flatMap(chosen, (command) => {
    if (command === "" || command === "cat") return use(output.write)
    return Effect.acquireUseRelease(
      Effect.sync(() => start(command ?? "")),
      ({ write }) =>
        Effect.catchIf(
          use(write),
          (error) => error instanceof OutputClosed,
          () => Effect.void
        ),
      ({ end }) => end
    )
  })

const start = (command: string) => {
  const child = spawn("/bin/sh", ["-c", script, "sh", command], { stdio: ["pipe", "inherit", "inherit"] })
  const closed = new Promise<void>((resolve) => {
    child.once("close", () => resolve())
    child.once("error", () => resolve())
  })
  // The callback of a write reports its error.
  child.stdin.on("error", () => {})
  const write: Service["write"] = (text) =>
    Effect.async((resume) => {
      child.stdin.write(text, (error) => resume(error ? Effect.fail(new OutputClosed()) : Effect.void))
    })
  const end = Effect.zipRight(
    Effect.sync(() => child.stdin.end()),
    Effect.promise(() => closed)
  )
  return { write, end }
}
