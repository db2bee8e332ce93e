/**
 * The command line in this process, and a daemon in one of its own, which all tests of a file share.
 */
import { expect } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Schedule, type Scope } from "effect"
import { rmSync } from "node:fs"
import { task, unit } from "../../tasks/Jobs.js"
import * as Charlotte from "../process/Charlotte.js"
import * as Daemon from "../process/Daemon.js"
import * as Tasks from "../process/Tasks.js"
import * as CommandLine from "./CommandLine.js"

export interface Service extends Charlotte.World {
  /** Runs a command to its end, into a pipe. */
  readonly run: (...argv: ReadonlyArray<string>) => Effect.Effect<CommandLine.Answer>
  /** The same on a terminal of so many columns, without colours. */
  readonly onTerminal: (columns: number, ...argv: ReadonlyArray<string>) => Effect.Effect<CommandLine.Answer>
  /** Hands the tasks in that directory to the daemon, for a branch of their own, and gives the id of the job. */
  readonly submit: (tasks: string, ...more: ReadonlyArray<string>) => Effect.Effect<string>
  /** The same, and waits for its end. */
  readonly complete: (tasks: string, ...more: ReadonlyArray<string>) => Effect.Effect<string>
  /** Runs a command that goes on. */
  readonly following: (...argv: ReadonlyArray<string>) => Effect.Effect<Following, never, Scope.Scope>
  /** Returns when a job that waits does, if that is the first since `fresh`. */
  readonly reached: Effect.Effect<void>
  /** Lets jobs that wait go on. */
  readonly release: Effect.Effect<void>
  /** As before the first of them. */
  readonly fresh: Effect.Effect<void>
}

export interface Following {
  /** Returns when it has said this, on either stream. */
  readonly says: (text: string) => Effect.Effect<void>
  readonly hasSaid: (text: string) => Effect.Effect<boolean>
  readonly ended: Effect.Effect<CommandLine.Answer>
}

export class Here extends Context.Tag("test/cli/Here")<Here, Service>() {}

const follow =
  (run: ReturnType<typeof CommandLine.make>) =>
  (...argv: ReadonlyArray<string>): Effect.Effect<Following, never, Scope.Scope> =>
    Effect.gen(function* () {
      const { answer, said } = run(argv)
      const fiber = yield* Effect.forkScoped(answer)
      const hasSaid = (text: string) => Effect.sync(() => said().includes(text))
      return {
        hasSaid,
        says: (text) =>
          hasSaid(text).pipe(
            Effect.repeat({ until: (isSaid) => isSaid, schedule: Schedule.spaced("10 millis") }),
            Effect.raceFirst(
              Effect.zipRight(
                Fiber.await(fiber),
                Effect.sync(() => expect(said()).toContain(text))
              )
            )
          ),
        ended: Fiber.join(fiber)
      }
    })

export const make = (files: Parameters<typeof Charlotte.world>[0], variables: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function* () {
    const world = yield* Charlotte.world(files)
    yield* Daemon.up(world, { variables })
    yield* Effect.addFinalizer(() => Daemon.down(world))
    const command = CommandLine.make(world)
    const run = (argv: ReadonlyArray<string>, terminal?: CommandLine.Terminal) => command(argv, terminal).answer
    let branches = 0
    const submit: Service["submit"] = (tasks, ...more) =>
      Effect.gen(function* () {
        const branch = `branch-${++branches}`
        yield* world.git(world.repository, "branch", branch, "main")
        const where = ["--repo", world.repository, "--target", branch]
        const { code, err, out } = yield* run(["start", `tasks/${tasks}`, ...where, ...more])
        expect([code, err]).toEqual([0, ""])
        return out.trim()
      })
    return Here.of({
      ...world,
      run: (...argv) => run(argv),
      onTerminal: (columns, ...argv) => run(argv, { isTerminal: true, columns }),
      submit,
      complete: (tasks, ...more) =>
        Effect.tap(submit(tasks, ...more), (id) =>
          Effect.map(run(["watch", id]), ({ out }) => expect(out).toMatch(/^[✓✗] \w+ (in|after) /m))
        ),
      following: follow(command),
      reached: Effect.asVoid(Tasks.reached(world)),
      release: Tasks.release(world),
      fresh: Effect.sync(() => {
        for (const name of ["reached", "go"]) rmSync(`${world.root}/${name}`, { force: true })
      })
    })
  })

/** A daemon for all tests of a file; no time is played in them. */
export const layer = (...options: Parameters<typeof make>) => Layer.scoped(Here, make(...options))

/** What a terminal would obey. */
export const escapes = "\x1b[2J\x1b]0;title\x07\x9b31mred\x1b[0m\u202e"

/** A unit of one task, with that title, script and gate. */
const one = (title: string, script: string, gate: string) => ({
  "charlotte.yaml": "agent: script\nattempts: 1\n",
  "a/IMPLEMENTATION_PLAN.md": unit(),
  "a/01-one.md": task(1, script, gate).replace("# Task 1", `# ${title}`)
})

const below = (directory: string, files: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(files).map(([file, content]) => [`${directory}/${file}`, content]))

const print = String.raw`printf '\033[2J\033]0;title\007\033[31mred\033[0m %s\n'`

/**
 * Directories of tasks: `good`, whose work is done; `bad`, whose work fails its gate; `waiting`, which has done one task, is in
 * the midst of the next, and goes on when it may; and `stubborn`, which does not end when it is told to. All of them print
 * what a terminal would obey.
 */
export const tasks = (root: string): Readonly<Record<string, string>> => {
  const wait = `while ! test -e '${root}/go'; do sleep 0.05; done`
  return {
    ...below("good", one(`Good ${escapes}work`, `${print} agent\necho one > one`, `${print} gate; cat one`)),
    ...below("bad", one(`Bad ${escapes}work`, `echo one > one`, `${print} wrong; false`)),
    ...below("waiting", {
      ...one("First", `${print} first`, "true"),
      "a/02-two.md": task(2, `${print} waits\ntouch '${root}/reached'\n${wait}\n${print} after`, "true", [1]),
      "b/IMPLEMENTATION_PLAN.md": unit(["a"]),
      "b/01-three.md": task(1, ":", "true")
    }),
    ...below(
      "stubborn",
      one("Stubborn", `trap '' TERM INT HUP\n${print} stubborn\ntouch '${root}/reached'\n${wait}`, "true")
    )
  }
}
