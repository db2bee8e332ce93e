/**
 * Runs what sets a project up and what tests it in a fresh checkout of the last commit, as a job would: what fails there by itself fails
 * for every agent.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Clock, Duration, Effect, Option } from "effect"
import { randomUUID } from "node:crypto"
import * as format from "../../progress/format.js"
import * as ChildEnvironment from "../../process/ChildEnvironment.js"
import { ProcessTableRef } from "../../process/ProcessTable.js"
import * as ProcessTree from "../../process/ProcessTree.js"
import { runProgram } from "../../process/runProgram.js"
import { terminate } from "../../process/terminate.js"
import { Output } from "../terminal/Output.js"
import * as StyledLine from "../terminal/StyledLine.js"
import type { Project } from "./Project.js"

export interface Tried {
  readonly command: string
  /** In milliseconds. */
  readonly took: number
  /** Why it failed, with the end of its output. */
  readonly problem?: string
}

const limit = Duration.hours(1)

/** How long what the commands leave behind has to end by itself. */
const grace = Duration.seconds(2)

/** How many lines of the output of a failed command are shown. */
const shownLines = 20

const endOf = (output: string): string => output.trimEnd().split("\n").slice(-shownLines).join("\n")

/** Ends with the first command that fails. */
export const tryProject = (topLevel: string, { gates, setup }: Project, inherit: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const { error, isTerminal } = yield* Output
    const cwd = yield* fs.makeTempDirectoryScoped({ prefix: "charlotte-try-" })
    const around = yield* ChildEnvironment.ParentEnvironment
    const cookie = randomUUID()
    const env = ChildEnvironment.make({ around, cookie, inherit })
    // A command may leave a server of a build tool behind, which would work in a directory that is gone.
    const tree = ProcessTree.make({ table: yield* ProcessTableRef, cookie, leader: undefined })
    yield* Effect.addFinalizer(() => terminate(tree, { settle: Duration.zero, grace, isHurried: () => false }))
    const run = (file: string, ...args: ReadonlyArray<string>) =>
      Effect.match(runProgram({ file, args, cwd, env, limit }), {
        onFailure: ({ message }) => Option.some(message),
        onSuccess: ({ code, stderr, stdout }) =>
          code === 0 ? Option.none() : Option.some(`exited with ${code}\n${endOf(`${stdout}${stderr}`)}`)
      })
    const timed = (command: string, effect: Effect.Effect<Option.Option<string>>) =>
      Effect.gen(function* () {
        if (isTerminal) yield* error(`charlotte: ${command}\n`)
        const began = yield* Clock.currentTimeMillis
        const problem = yield* effect
        const took = (yield* Clock.currentTimeMillis) - began
        const tried: Tried = {
          command,
          took,
          ...Option.match(problem, { onNone: () => ({}), onSome: (problem) => ({ problem }) })
        }
        return tried
      })

    const checkout = yield* timed(
      "git clone",
      run("git", "-c", "core.hooksPath=/dev/null", "clone", "--quiet", "--shared", "--", topLevel, ".")
    )
    if (checkout.problem !== undefined) return [checkout]
    const all: Array<Tried> = []
    for (const command of [...Option.toArray(Option.map(setup, ({ run }) => run)), ...gates]) {
      const tried = yield* timed(command, run("sh", "-c", command))
      all.push(tried)
      if (tried.problem !== undefined) break
    }
    return all
  }).pipe(Effect.scoped)

export const lines = (tried: ReadonlyArray<Tried>): ReadonlyArray<StyledLine.Line> =>
  tried.flatMap(({ command, problem, took }): ReadonlyArray<StyledLine.Line> => {
    const end = StyledLine.raw(` (${format.span(took)})`, "faint")
    if (problem === undefined) return [[StyledLine.raw("✓ ", "good"), StyledLine.piece(command), end]]
    const [why = "", ...output] = problem.split("\n")
    return [
      [StyledLine.raw("✗ ", "bad"), StyledLine.piece(command), StyledLine.raw(" "), StyledLine.piece(why), end],
      ...output.map((line): StyledLine.Line => [StyledLine.verbatim(`    ${line}`)])
    ]
  })
