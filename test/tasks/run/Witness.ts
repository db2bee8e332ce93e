/**
 * A job whose every step leaves a trace outside of the repository, and waits where a test wants it to: setups, agents and
 * gates by a script that they run first, git by one that stands in its place.
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
  /** The directory of the traces. */
  readonly witness: string
}

/** Waits, once, when a test has asked for it by these words; until the test, or a signal, ends it. */
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

/** The lock is inherited by whatever a step starts, and there is one for each workplace: nobody else may be at work there. */
const step = `${hold}
echo "$STEP" >> "$WITNESS/calls"
exec 9>> "$WITNESS/lock-\${PWD##*/}"
flock -n 9 || echo "$STEP" >> "$WITNESS/overlaps"
if wanted step "$STEP"; then stay; fi
`

/**
 * One that is held in the midst of its work has locked its index, and is stopped; in a session of its own, or the kernel would
 * have it go on when the manager dies.
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

/** A sandbox with traces; whoever still waits at its end is let go. */
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

/** Its manager, whose steps know where their traces go. */
export const manager = (world: World, options: Options = {}) => charlotte(world, { ...options, ...surroundings(world) })

/** Its records, while no manager writes them. */
export const records = ({ root }: World) =>
  RunStore.layer.pipe(Layer.provide(Database.layer({ filename: `${root}/charlotte.db` })))

export const surroundings = ({ environment, witness }: World): Pick<Options, "around" | "env"> => ({
  env: ["WITNESS"],
  around: { ...environment.variables, WITNESS: witness }
})

/** Before a step, such as `agent-a1`; or before, in the midst of, or after a command of git's. The words may hold `*`. */
export type Point = readonly [kind: "step" | "before" | "during" | "after", words: string]

/** Who comes to that point next waits there, or who does so for the nth time. */
export const holdAt = ({ witness, write }: World, [kind, words]: Point, times = 1) =>
  Effect.suspend(() => {
    rmSync(`${witness}/reached`, { force: true })
    return write(`${witness}/hold`, `${kind}\n${words}\n${times}\n`)
  })

const held = ({ witness }: World): ReadonlyArray<number> =>
  readdirSync(witness).flatMap((name) => (name.startsWith("held.") ? [Number(name.slice(5))] : []))

/** The processes that wait somewhere. */
export const waiting = (world: World): ReadonlyArray<number> => held(world).filter(isAlive)

/** Returns when somebody waits at the point. */
export const reached = ({ witness }: World, [kind, words]: Point) =>
  eventually(`${kind} ${words}`, () => existsSync(`${witness}/reached`))

/** Lets everybody go who waits, and returns when they have gone. */
export const release = (world: World) =>
  Effect.gen(function* () {
    const pids = held(world)
    rmSync(`${world.witness}/hold`, { force: true })
    for (const pid of pids) rmSync(`${world.witness}/held.${pid}`, { force: true })
    yield* eventually("those who waited have gone", () => !pids.some(isAlive))
  })

const at = (name: string, then: string): string => `STEP=${name}; . "$WITNESS/step"\n${then}`

/** A task that writes its name into a file of that name. */
export const named = (name: string, number: number, dependsOn: ReadonlyArray<number> = []): string =>
  task(
    number,
    at(`agent-${name}`, `echo ${name} > ${name}.txt`),
    at(`gate-${name}`, `grep -qx ${name} ${name}.txt`),
    dependsOn
  )

export const settings = `setup: ${JSON.stringify(at("setup", "true"))}\nbaseline: [${JSON.stringify(at("baseline", "true"))}]\n`

/** Two units, of which the second has to be merged with the first. */
export const twoUnits = {
  "charlotte.yaml": settings,
  "a/IMPLEMENTATION_PLAN.md": unit(),
  "a/01-a1.md": named("a1", 1),
  "a/02-a2.md": named("a2", 2, [1]),
  "b/IMPLEMENTATION_PLAN.md": unit(),
  "b/01-b1.md": named("b1", 1)
}

export type Job = Effect.Effect.Success<ReturnType<typeof job>>

/** The user's repository with such tasks, and how to start the job. */
export const job = (world: World, files: Record<string, string> = twoUnits, concurrency = 1) =>
  Effect.map(repository(world, files), ({ config, ...rest }) => ({
    ...rest,
    world,
    config: { ...config, concurrency }
  }))

/** What has run, in order: steps such as `agent-a1`. */
export const calls = ({ witness }: World): ReadonlyArray<string> =>
  existsSync(`${witness}/calls`) ? readFileSync(`${witness}/calls`, "utf8").trim().split("\n") : []

const agentCalls = (world: World, name: string): number =>
  calls(world).filter((call) => call === `agent-${name}`).length

/** Nothing runs any more, nothing ran twice at the same time, and nothing lies about that git would trip over. */
export const isQuiet = (world: World, top: string, id: JobId) =>
  Effect.gen(function* () {
    const store = yield* RunStore.RunStore
    expect(yield* store.childProcesses.unclosed(id)).toEqual([])
    const names = readdirSync(world.witness)
    expect(names.filter((name) => name.startsWith("lock-") && isHeld(`${world.witness}/${name}`))).toEqual([])
    expect(names).not.toContain("overlaps")
    expect(yield* litter(world, top)).toEqual([])
  })

/** Which tasks, such as `a 1`, and which merges of units, such as `b`, the commits of a range tell of, each time they do. */
export const told = (world: World, top: string, range: string) =>
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

/** No worktree, and no branch but the result. */
export const isTidy = (world: World, top: string, id: JobId) =>
  Effect.gen(function* () {
    const branches = yield* world.git(top, "for-each-ref", "--format=%(refname:short)", "refs/heads/charlotte")
    expect(branches).toBe(`charlotte/${id}/result\n`)
    expect((yield* world.git(top, "worktree", "list")).trim().split("\n")).toHaveLength(1)
    expect(yield* Effect.promise(() => readdir(`${world.root}/charlotte/worktrees/${id}`))).toEqual([])
  })

/** What a target has come to: its tree, and what its commits tell of. */
const outcome = (world: World, top: string) =>
  Effect.all({
    tree: world.git(top, "rev-parse", "main^{tree}"),
    told: told(world, top, "mine..main")
  })

/** What a job comes to that nobody disturbs. */
export const undisturbed = (files?: Record<string, string>) =>
  Effect.gen(function* () {
    const one = yield* world
    const { config, top } = yield* job(one, files)
    const { run: record } = yield* run(config).pipe(Effect.provide(manager(one)))
    expect(record.status).toBe("completed")
    return yield* outcome(one, top)
  }).pipe(Effect.scoped)

type Outcome = Effect.Effect.Success<ReturnType<typeof undisturbed>>

/** The job that was started last. */
export const latest = Effect.gen(function* () {
  const store = yield* RunStore.RunStore
  const [run] = yield* store.list({ limit: 1 })
  return run ?? (yield* Effect.dieMessage("the job is lost"))
})

/**
 * Looks at a job whose manager has ended, again and again: no agent is called any more for a task that was recorded as done,
 * and the target holds nothing of the job, or all of it.
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
    expect([[], expected.told]).toContainEqual(yield* told(world, top, "mine..main"))
    return run
  }).pipe(Effect.provide(records(world)))
}

/** The job goes on to its end: each task and each merge is there once, all is as it should be, and nothing is left. */
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
    // Whoever was held up all the time comes too late.
    yield* release(world)
    yield* isOver
    return run
  })
