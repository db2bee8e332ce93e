/**
 * A job whose every step leaves a trace outside the repository, and pauses where a test requests it: setups, agents and gates
 * through a script that they run first, git through a wrapper.
 */
import { expect } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Effect, Layer } from "effect"
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { readdir } from "node:fs/promises"
import type { JobId } from "../../../src/domain/JobId.js"
import * as Repository from "../../support/Repository.js"
import { charlotte, ended, litter, repository, run, task, unit } from "../Jobs.js"
import { eventually, isAlive, isHeld } from "../../process/workshop.js"
import type { Options } from "../Composition.js"

export interface World extends Repository.Sandbox {
  /** The directory for the traces. */
  readonly witness: string
}

/** Pauses once if a test has requested it for this step, until the test or a signal ends the pause. */
const hold = `wanted() {
  { read -r kind && read -r words && read -r times; } 2> /dev/null < "$WITNESS/hold" || return 1
  test "$kind" = "$1" || return 1
  case "$2" in $words) ;; *) return 1 ;; esac
  if test "$times" -gt 1; then printf '%s\\n' "$kind" "$words" $((times - 1)) > "$WITNESS/hold"; return 1; fi
  mv "$WITNESS/hold" "$WITNESS/taken.$$" 2> /dev/null
}
stay() {
  mv "$WITNESS/taken.$$" "$WITNESS/held.$$"
  : > "$WITNESS/reached"
  while test -e "$WITNESS/held.$$"; do sleep 0.02; done
}
`

/** One lock per worktree, inherited by all processes of a step: no other step may run there. */
const step = `${hold}
echo "$STEP" >> "$WITNESS/calls"
exec 9>> "$WITNESS/lock-\${PWD##*/}"
flock -n 9 || echo "$STEP" >> "$WITNESS/overlaps"
if wanted step "$STEP"; then stay; fi
`

/**
 * A paused git process holds its index lock and is stopped by SIGSTOP; in its own session, since otherwise the kernel would continue
 * it when the manager dies.
 */
const git = (witness: string, path: string) => `#!/bin/sh
# The real one, also where this one is found first.
PATH='${path}'
WITNESS='${witness}'
${hold}
if wanted during "$*"; then
  setsid git "$@" <&0 &
  while ! test -e "\${GIT_INDEX_FILE:-$GIT_DIR/index}.lock" && test -e /proc/$!/exe; do :; done
  kill -STOP $!
  stay
  kill -CONT $!
  wait $!
  exit
fi
if wanted before "$*"; then stay; fi
git "$@"
code=$?
if wanted after "$*"; then stay; fi
exit $code
`

/** A sandbox with traces; at its end, all paused processes are released. */
export const world = Effect.gen(function* () {
  const sandbox = yield* Repository.sandbox
  const witness = `${sandbox.root}/witness`
  const executable = `${sandbox.root}/bin/git`
  yield* sandbox.write(`${witness}/step`, step)
  yield* sandbox.write(executable, git(witness, sandbox.environment.variables["PATH"] ?? ""), 0o755)
  const world: World = { ...sandbox, environment: { ...sandbox.environment, executable }, witness }
  yield* Effect.addFinalizer(() => release(world))
  return world
})

/** Its manager, whose steps know the directory for the traces. */
export const manager = (world: World, options: Options = {}) => charlotte(world, { ...options, ...surroundings(world) })

/** Its records, to be read while no manager runs. */
export const records = ({ root }: World) =>
  RunStore.layer.pipe(Layer.provide(Database.layer({ filename: `${root}/charlotte.db` })))

export const surroundings = ({ environment, witness }: World): Pick<Options, "around" | "env"> => ({
  env: ["WITNESS"],
  around: { ...environment.variables, WITNESS: witness }
})

/** A point before a step, such as `agent-a1`, or before, during or after a git command; `*` is a wildcard. */
export type Point = readonly [kind: "step" | "before" | "during" | "after", words: string]

/** Pauses the next process that reaches the point, or the nth one. */
export const holdAt = ({ witness, write }: World, [kind, words]: Point, times = 1) =>
  Effect.suspend(() => {
    rmSync(`${witness}/reached`, { force: true })
    return write(`${witness}/hold`, `${kind}\n${words}\n${times}\n`)
  })

const held = ({ witness }: World): ReadonlyArray<number> =>
  readdirSync(witness).flatMap((name) => (name.startsWith("held.") ? [Number(name.slice(5))] : []))

/** The paused processes. */
export const waiting = (world: World): ReadonlyArray<number> => held(world).filter(isAlive)

/** Returns once a process is paused at the point. */
export const reached = ({ witness }: World, [kind, words]: Point) =>
  eventually(`${kind} ${words}`, () => existsSync(`${witness}/reached`))

/** Releases all paused processes, and returns once they have continued. */
export const release = (world: World) =>
  Effect.gen(function* () {
    const pids = held(world)
    rmSync(`${world.witness}/hold`, { force: true })
    for (const pid of pids) rmSync(`${world.witness}/held.${pid}`, { force: true })
    yield* eventually("those who waited have gone", () => !pids.some(isAlive))
  })

const at = (name: string, then: string): string => `STEP=${name}; . "$WITNESS/step"\n${then}`

/** A task that writes its name to a file of that name. */
export const named = (name: string, number: number, dependsOn: ReadonlyArray<number> = []): string =>
  task(
    number,
    at(`agent-${name}`, `echo ${name} > ${name}.txt`),
    at(`gate-${name}`, `grep -qx ${name} ${name}.txt`),
    dependsOn
  )

export const settings = `setup: ${JSON.stringify(at("setup", "true"))}\nbaseline: [${JSON.stringify(at("baseline", "true"))}]\n`

/** Two units; the second needs a merge with the first. */
export const twoUnits = {
  "charlotte.yaml": settings,
  "a/IMPLEMENTATION_PLAN.md": unit(),
  "a/01-a1.md": named("a1", 1),
  "a/02-a2.md": named("a2", 2, [1]),
  "b/IMPLEMENTATION_PLAN.md": unit(),
  "b/01-b1.md": named("b1", 1)
}

export type Job = Effect.Effect.Success<ReturnType<typeof job>>

/** The user's repository with these tasks, and the config of the job. */
export const job = (world: World, files: Record<string, string> = twoUnits, concurrency = 1) =>
  Effect.map(repository(world, files), ({ config, ...rest }) => ({
    ...rest,
    world,
    config: { ...config, concurrency }
  }))

/** The steps that have run, in order, such as `agent-a1`. */
export const calls = ({ witness }: World): ReadonlyArray<string> =>
  existsSync(`${witness}/calls`) ? readFileSync(`${witness}/calls`, "utf8").trim().split("\n") : []

const agentCalls = (world: World, name: string): number =>
  calls(world).filter((call) => call === `agent-${name}`).length

/** Checks that nothing is running, no step ran twice concurrently, and git left no lock files. */
export const isQuiet = (world: World, top: string, id: JobId) =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    expect(yield* store.childProcesses.unclosed(id)).toEqual([])
    const names = readdirSync(world.witness)
    expect(names.filter((name) => name.startsWith("lock-") && isHeld(`${world.witness}/${name}`))).toEqual([])
    expect(names).not.toContain("overlaps")
    expect(yield* litter(world, top)).toEqual([])
  })

/** The tasks, such as `a 1`, and merged units, such as `b`, in the commit trailers of a range, with repetitions. */
export const trailers = (world: World, top: string, range: string) =>
  Effect.map(
    world.git(
      top,
      "log",
      "--format=%(trailers:key=Charlotte-Unit,valueonly,separator=%x20) %(trailers:key=Charlotte-Task,valueonly,separator=%x20)",
      range
    ),
    (log) =>
      log
        .split("\n")
        .map((line) => line.trim())
        .filter((line) => line !== "")
        .toSorted()
  )

/** Checks that no worktree is left, only the note of the repository, and no branch but the result. */
export const isTidy = (world: World, top: string, id: JobId) =>
  Effect.gen(function* () {
    const branches = yield* world.git(top, "for-each-ref", "--format=%(refname:short)", "refs/heads/charlotte")
    expect(branches).toBe(`charlotte/${id}/result\n`)
    expect((yield* world.git(top, "worktree", "list")).trim().split("\n")).toHaveLength(1)
    expect(yield* Effect.promise(() => readdir(`${world.root}/charlotte/worktrees/${id}`))).toEqual(["_repository"])
  })

/** The outcome on a target: its tree, and the trailers of its commits. */
const outcome = (world: World, top: string) =>
  Effect.all({
    tree: world.git(top, "rev-parse", "main^{tree}"),
    trailers: trailers(world, top, "mine..main")
  })

/** The outcome of an undisturbed job. */
export const undisturbed = (files?: Record<string, string>) =>
  Effect.gen(function* () {
    const one = yield* world
    const { config, top } = yield* job(one, files)
    const { run: record } = yield* run(config).pipe(Effect.provide(manager(one)))
    expect(record.status).toBe("completed")
    return yield* outcome(one, top)
  }).pipe(Effect.scoped)

type Outcome = Effect.Effect.Success<ReturnType<typeof undisturbed>>

/** The last job. */
export const latest = Effect.gen(function* () {
  const store = yield* RunStore.RunStore
  const [run] = yield* store.list({ limit: 1 })
  return run ?? (yield* Effect.dieMessage("the job is lost"))
})

/**
 * Checks a job after each end of its manager: no agent has run again for a task that was recorded as completed, and the target
 * contains all commits of the job or none.
 */
export const lookBack = ({ top, world }: Job, expected: Outcome) => {
  const done = new Map<string, number>()
  return Effect.gen(function* () {
    for (const [name, times] of done) expect([name, agentCalls(world, name)]).toEqual([name, times])
    const run = yield* latest
    const store = yield* RunStore.RunStore
    const { tasks } = yield* store.work.of(run.id)
    for (const { state, task, unit } of tasks)
      if (state === "completed") done.set(`${unit}${task}`, agentCalls(world, `${unit}${task}`))
    if (run.status !== "running") yield* isQuiet(world, top, run.id)
    expect([[], expected.trailers]).toContainEqual(yield* trailers(world, top, "mine..main"))
    return run
  }).pipe(Effect.provide(records(world)))
}

/** Lets the job run to its end, and checks that each task and merge exists once, the outcome is right and nothing is left. */
export const comesOut = ({ top, untouched, world }: Job, expected: Outcome) =>
  Effect.gen(function* () {
    const run = yield* Effect.flatMap(latest, ({ id }) => Effect.map(ended(id), ({ run }) => run)).pipe(
      Effect.provide(manager(world))
    )
    expect(run.status).toBe("completed")
    const isOver = Effect.gen(function* () {
      expect(yield* outcome(world, top)).toEqual(expected)
      yield* isQuiet(world, top, run.id)
      yield* isTidy(world, top, run.id)
      yield* untouched
    }).pipe(Effect.provide(records(world)))
    yield* isOver
    // Processes that were paused all along have no effect any more.
    yield* release(world)
    yield* isOver
    return run
  })
