/**
 * A life of a process, which ends by `kill -9`.
 */
import { Effect, type Scope } from "effect"
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"

/** Runs a program until the scope closes, which kills it. Returns once it has said that it is ready. */
export const live = (
  program: string,
  args: ReadonlyArray<string>,
  { hear, wrong }: { readonly hear: (line: string) => void; readonly wrong: (problem: string) => void }
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<ReturnType<typeof spawn>>((resume) => {
      const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"] })
      createInterface({ input: child.stdout }).on("line", (line) => {
        if (line === "ready") resume(Effect.succeed(child))
        else hear(line)
      })
      createInterface({ input: child.stderr }).on("line", (line) => {
        if (!/level=(DEBUG|INFO|WARN)/.test(line)) wrong(`${args[0]} says: ${line}`)
      })
      child.on("exit", (code) => {
        if (code !== null) wrong(`${args[0]} has ended with ${code}`)
        resume(Effect.succeed(child))
      })
    }),
    (child) =>
      Effect.async<void>((resume) => {
        if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
        child.once("close", () => resume(Effect.void))
        child.kill("SIGKILL")
      })
  ).pipe(Effect.asVoid)
