/**
 * Where a daemon is killed: a home of its own, a repository whose user is in the midst of work in two checkouts, and an agent
 * that leaves a trace of what it does outside of both.
 *
 * Setups, agents and gates hold a lock that all which they start inherits: the kernel frees it when the last of them is dead.
 * Who does not get it has found another one at work in the same place, which is proof that something runs twice.
 */
import { Effect, type Scope } from "effect"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import * as Repository from "../support/Repository.js"
import { unit } from "../tasks/Jobs.js"
import * as Belongings from "./Belongings.js"

export interface World extends Repository.Sandbox {
  /** The home directory of the daemon. */
  readonly home: string
  /** The directory of the traces. */
  readonly witness: string
  /** The checkout through which jobs are started, with uncommitted work in it. */
  readonly top: string
  /** Another checkout, whose branch jobs land on. */
  readonly linked: string
  /** The commit at which jobs begin. */
  readonly base: string
  readonly variables: Readonly<Record<string, string>>
  /** What the user had; it has to be there still. */
  readonly untouched: () => ReadonlyArray<string>
}

export const maxJobs = 3

const step = `place=\${PWD#*/worktrees/}
job=\${place%%/*}
exec 9>> "$WITNESS/lock-$job-\${place##*/}"
flock -n 9 || echo "$job $STEP" >> "$WITNESS/overlaps"
echo "$job $STEP" >> "$WITNESS/calls"
`

/** Once it may end, it does; until then it and its child stay for as long as they are let. */
const agent = `#!/bin/sh
while read -r key value; do
  case "$key" in name:) name=$value ;; manner:) manner=$value ;; esac
done
STEP=agent-$name
. "$WITNESS/step"
stay() { setsid sleep 1000 & sleep 1000; }
if ! test -e "$WITNESS/go"; then
  case "$manner" in
    endless) stay ;;
    stubborn) trap '' TERM; while :; do stay; done ;;
  esac
fi
sleep "0.0$(($$ % 10))"
echo "$name" > "$name.txt"
`

const settings = (...lines: ReadonlyArray<string>) =>
  [`setup: STEP=setup; . "$WITNESS/step"`, "agent: fake", ...lines, ""].join("\n")

const task = (number: number, name: string, manner: string, gate = `grep -qx ${name} ${name}.txt`) => `---
task: ${number}
status: pending
backpressure: STEP=gate-${name}; . "$WITNESS/step"; ${gate}
depends_on: []
---

# Task ${name}

name: ${name}
manner: ${manner}
`

/** The tasks of each sort of job. */
const sorts = {
  /** The second unit has to be merged with the first. */
  merging: {
    "charlotte.yaml": settings(`baseline: ['STEP=baseline; . "$WITNESS/step"']`),
    "a/IMPLEMENTATION_PLAN.md": unit(),
    "a/01-a1.md": task(1, "a1", "brief"),
    "a/02-a2.md": task(2, "a2", "brief"),
    "b/IMPLEMENTATION_PLAN.md": unit(),
    "b/01-b1.md": task(1, "b1", "brief")
  },
  brief: {
    "charlotte.yaml": settings(),
    "IMPLEMENTATION_PLAN.md": unit(),
    "01-one.md": task(1, "one", "brief")
  },
  failing: {
    "charlotte.yaml": settings("attempts: 1"),
    "IMPLEMENTATION_PLAN.md": unit(),
    "01-none.md": task(1, "none", "brief", "false")
  },
  endless: {
    "charlotte.yaml": settings(),
    "IMPLEMENTATION_PLAN.md": unit(),
    "01-long.md": task(1, "long", "endless")
  },
  stubborn: {
    "charlotte.yaml": settings(),
    "IMPLEMENTATION_PLAN.md": unit(),
    "01-firm.md": task(1, "firm", "stubborn")
  }
}

export type Sort = keyof typeof sorts

/** What a job of a sort comes to, if it comes to its end. */
export interface Result {
  /** What its commits tell of. */
  readonly told: ReadonlyArray<string>
  /** The files that it has changed. */
  readonly files: ReadonlyArray<string>
}

export const results: { readonly [S in Sort]: Result } = {
  merging: {
    told: ["a 1", "a 2", "b", "b 1"],
    files: ["a1.txt", "a2.txt", "b1.txt", "merging/a/01-a1.md", "merging/a/02-a2.md", "merging/b/01-b1.md"]
  },
  brief: { told: ["brief 1"], files: ["brief/01-one.md", "one.txt"] },
  failing: { told: [], files: [] },
  endless: { told: ["endless 1"], files: ["endless/01-long.md", "long.txt"] },
  stubborn: { told: ["stubborn 1"], files: ["firm.txt", "stubborn/01-firm.md"] }
}

const configuration = (root: string) => `maxJobs: ${maxJobs}
stopGrace: 200 millis
agents:
  fake: { command: [${root}/bin/agent], prompt: stdin, env: [WITNESS, AGENT] }
gates: { env: [WITNESS] }
`

export const make: Effect.Effect<World, never, Scope.Scope> = Effect.gen(function* () {
  const sandbox = yield* Repository.sandbox
  const { git, root, write } = sandbox
  const [home, witness, linked] = [`${root}/charlotte`, `${root}/witness`, `${root}/linked`]
  yield* write(`${witness}/step`, step)
  yield* write(`${root}/bin/agent`, agent, 0o755)
  yield* write(`${home}/config.yaml`, configuration(root), 0o600)
  yield* write(`${root}/tmp/.keep`, "")

  const top = yield* Repository.busy(sandbox)
  yield* git(top, "stash", "push", "--quiet", "--include-untracked")
  for (const [sort, files] of Object.entries(sorts))
    for (const [file, content] of Object.entries(files)) yield* write(`${top}/${sort}/${file}`, content)
  yield* git(top, "add", ".")
  yield* git(top, "commit", "--quiet", "-m", "tasks")
  const base = (yield* git(top, "rev-parse", "HEAD")).trim()
  yield* git(top, "switch", "--quiet", "-c", "mine")
  yield* git(top, "worktree", "add", "--quiet", "-b", "target/linked-0", linked, base)
  yield* write(`${top}/b.txt`, "dirty\n")
  yield* write(`${top}/untracked.txt`, "untracked\n")

  const before = Belongings.look(top)
  return {
    ...sandbox,
    home,
    witness,
    top,
    linked,
    base,
    variables: {
      PATH: sandbox.environment.variables["PATH"] ?? "",
      HOME: `${root}/home`,
      TMPDIR: `${root}/tmp`,
      CHARLOTTE_HOME: home,
      WITNESS: witness,
      AGENT: "1"
    },
    untouched: () => Belongings.differing(before, Belongings.look(top))
  }
})

/** Agents that are started from now on come to their end. */
export const release = ({ witness }: World): Effect.Effect<void> =>
  Effect.sync(() => writeFileSync(`${witness}/go`, ""))

const lines = (file: string): ReadonlyArray<string> =>
  existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean) : []

/** What has run, in order, such as `JOB agent-a1`. */
export const calls = ({ witness }: World): ReadonlyArray<string> => lines(`${witness}/calls`)

/** Whether it is of an agent that does not end by itself. */
export const stays = (call: string): boolean => / agent-(long|firm)$/.test(call)

/** What ran while another one was at work in the same place. */
export const overlaps = ({ witness }: World): ReadonlyArray<string> => lines(`${witness}/overlaps`)
