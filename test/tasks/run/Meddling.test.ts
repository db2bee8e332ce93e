import { describe, expect, it } from "@effect/vitest"
import { JobManager, RunStore } from "charlotte"
import { Chunk, Effect, Stream } from "effect"
import { existsSync } from "node:fs"
import { copyFile, rm } from "node:fs/promises"
import type { JobId } from "../../../src/domain/JobId.js"
import { appears, ended, show, subjects, task, unit } from "../Jobs.js"
import * as Witness from "./Witness.js"

/** A task that runs a script and then creates a file with the name of its unit. */
const making = (name: string, script = "true", gate = "true") =>
  task(1, `${script}\necho done > ${name}.txt`, `${gate} && grep -qx done ${name}.txt`)

const single = (name: string, text: string, dependsOn: ReadonlyArray<string> = []) => ({
  [`${name}/IMPLEMENTATION_PLAN.md`]: unit(dependsOn),
  [`${name}/01-task.md`]: text
})

/** For a script: signals that it was reached, and waits. */
const wait = (name: string) =>
  `touch "$WITNESS/${name}.reached"; while ! test -e "$WITNESS/${name}"; do sleep 0.02; done`

const started = (world: Witness.World, name: string) => appears(`${world.witness}/${name}.reached`)

const goOn = (world: Witness.World, name: string) => world.write(`${world.witness}/${name}`, "")

/** Returns once all of these events were emitted. */
const emitted = (id: JobId, ...types: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const manager = yield* JobManager.JobManager
    const left = new Set(types)
    const events = Stream.tap(manager.events(id), ({ type, unit }) => Effect.sync(() => left.delete(`${type} ${unit}`)))
    yield* Stream.runDrain(Stream.takeUntil(events, () => left.size === 0))
    expect([...left]).toEqual([])
  })

/** Returns once the job has emitted `orch.waiting` with this reason. */
const waits = (id: JobId, reason: RegExp) =>
  Effect.gen(function* () {
    const manager = yield* JobManager.JobManager
    const events = Stream.filter(manager.events(id), ({ type }) => type === "orch.waiting")
    const [first] = Chunk.toReadonlyArray(yield* Stream.runCollect(Stream.take(events, 1)))
    expect(JSON.stringify(first?.payload)).toMatch(reason)
  })

describe("an agent that misbehaves in every attempt", () => {
  it.scopedLive(
    "fails its task with a one-line reason; other units complete",
    () =>
      Effect.gen(function* () {
        const world = yield* Witness.world
        const { config, top, untouched } = yield* Witness.job(
          world,
          {
            "charlotte.yaml": "attempts: 2\n",
            ...single("deletes", making("deletes", "rm -rf .git")),
            ...single("fine", making("fine")),
            ...single("nests", making("nests", `git init -q "$(printf 'sub\\033[2J\\nunit fine: failed')"`)),
            ...single(
              "rewrites",
              making("rewrites", "sed -i 's/^backpressure: .*/backpressure: true/' tasks/*/*.md", "false")
            ),
            ...single("switches", making("switches", "git switch -q --detach")),
            ...single("waits", making("waits"), ["nests"])
          },
          2
        )
        yield* Effect.gen(function* () {
          const manager = yield* JobManager.JobManager
          const { id, run, work } = yield* ended(yield* manager.start(config))
          const failed = "task 1 \\(Task 1\\) failed 2 times:"
          expect(run).toMatchObject({
            status: "failed",
            error: {
              error: {
                _tag: "TasksFailed",
                failures: [
                  { unit: "deletes", reason: expect.stringMatching(`${failed} the worktree \\S+ cannot be used`) },
                  {
                    unit: "nests",
                    reason: expect.stringMatching(`${failed} \\S+ contains other git repositories in sub unit fine`)
                  },
                  { unit: "rewrites", reason: expect.stringMatching(`${failed} the gate exited with code 1(: .*)?$`) },
                  { unit: "switches", reason: expect.stringMatching(`${failed} HEAD of \\S+ was moved`) }
                ],
                blocked: ["waits"]
              }
            }
          })
          for (const { notes, reason = "" } of work.tasks) expect(`${reason}${notes.join("")}`).not.toMatch(/\p{Cc}/u)
          for (const { reason = "" } of work.units) expect(reason).not.toMatch(/\p{Cc}/u)
          expect(yield* show(world, top, `charlotte/${id}/result:fine.txt`)).toBe("done\n")
          expect(yield* subjects(world, top, "mine..main")).toEqual([])
        }).pipe(Effect.provide(Witness.manager(world)))
        yield* untouched
      }),
    300_000
  )
})

/** What an agent can do to units that wait to be merged, to a running unit, and to the result. */
const meddle = `${wait("meddle")}
of=refs/heads/charlotte/$(basename "$(dirname "$PWD")")
root=$(git rev-list --max-parents=0 HEAD)
user=$(dirname "$(cat "$(git rev-parse --git-path objects/info/alternates)")")
git() { command git --git-dir="$user" "$@"; }
git update-ref $of/unit/b-moved $root
git update-ref -d $of/unit/c-gone
rm -rf ../d-erased
command git -C ../e-detached switch -q --detach
echo else > ../f-changed/f-changed.txt
git update-ref $of/unit/g-working $root
git worktree add -q -f "$WITNESS/elsewhere" \${of#refs/heads/}/result
git update-ref $of/result $root
echo mine > "$WITNESS/elsewhere/f-changed.txt"
touch "$WITNESS/meddled"`

describe("an agent that tampers with other units", () => {
  it.scopedLive(
    "does not keep other units from being merged or the result from landing",
    () =>
      Effect.gen(function* () {
        const world = yield* Witness.world
        const waiting = ["b-moved", "c-gone", "d-erased", "e-detached", "f-changed"]
        const { config, top, untouched } = yield* Witness.job(
          world,
          {
            ...single("a-meddles", making("a-meddles", meddle)),
            ...Object.assign({}, ...waiting.map((name) => single(name, making(name)))),
            ...single("g-working", making("g-working", wait("work")))
          },
          7
        )
        yield* Effect.gen(function* () {
          const manager = yield* JobManager.JobManager
          const id = yield* manager.start(config)
          yield* emitted(id, ...waiting.map((name) => `unit.completed ${name}`))
          yield* started(world, "work")
          yield* goOn(world, "meddle")
          yield* emitted(id, ...waiting.map((name) => `unit.merged ${name}`))
          yield* goOn(world, "work")
          const { run, work } = yield* ended(id)
          expect(existsSync(`${world.witness}/meddled`)).toBe(true)
          expect(run.error).toBeUndefined()
          for (const name of ["a-meddles", ...waiting])
            expect(work.tasks.find(({ unit }) => unit === name)).toMatchObject({
              state: "completed",
              failures: 0,
              notes: []
            })
          expect(work.tasks.find(({ unit }) => unit === "g-working")).toMatchObject({
            state: "completed",
            failures: 0,
            notes: []
          })
          for (const name of ["a-meddles", ...waiting, "g-working"])
            expect(yield* show(world, top, `main:${name}.txt`)).toBe("done\n")
        }).pipe(Effect.provide(Witness.manager(world)))
        yield* untouched
      }),
    300_000
  )

  it.scopedLive(
    "makes the job wait if it plants executable git configuration, until that is undone, and no work is lost",
    () =>
      Effect.gen(function* () {
        const world = yield* Witness.world
        const { config, top, untouched } = yield* Witness.job(
          world,
          {
            ...single("a-before", making("a-before")),
            ...single("b-plants", making("b-plants", `${wait("plant")}\n. "$WITNESS/planting"`)),
            ...single("c-working", making("c-working", wait("work"))),
            ...single("d-after", making("d-after"), ["c-working"]),
            ...single("e-next", making("e-next"))
          },
          3
        )
        const git = `${top}/.git`
        yield* Effect.promise(() => copyFile(`${git}/config`, `${world.root}/config`))
        const trap = `${world.witness}/trap`
        yield* world.write(trap, `#!/bin/sh\necho ran >> '${world.witness}/ran'\n`, 0o755)
        yield* Effect.gen(function* () {
          const manager = yield* JobManager.JobManager
          const id = yield* manager.start(config)
          // The next unit starts once the worktree and the branch of the merged one are removed.
          yield* emitted(id, "unit.merged a-before", "unit.started e-next")
          yield* started(world, "plant")
          yield* started(world, "work")
          yield* world.write(
            `${world.witness}/planting`,
            `set -e
plant() { git config --file '${git}/config' "$1" "$2"; }
plant core.fsmonitor '${trap}'
plant core.hooksPath '${world.root}/hooks'
plant filter.evil.clean '${trap}'
plant filter.evil.smudge '${trap}'
plant alias.update-ref '!${trap}'
plant include.path '${world.witness}/included'
printf '[core]\\n\\tpager = ${trap}\\n' > '${world.witness}/included'
echo '* filter=evil' > .gitattributes
for hook in pre-commit post-checkout reference-transaction post-index-change; do cp '${trap}' '${git}/hooks/'$hook; done
touch "$WITNESS/planted"
`
          )
          yield* goOn(world, "plant")
          yield* waits(id, /setting filter\.evil\.clean/)
          yield* appears(`${world.witness}/planted`)
          yield* goOn(world, "work")
          const store = yield* RunStore.RunStore
          const { units } = yield* store.work.of(id)
          expect(units.map(({ state }) => state)).toEqual(["merged", "running", "running", "running", "pending"])
          expect(existsSync(`${world.witness}/ran`)).toBe(false)

          yield* Effect.promise(async () => {
            await copyFile(`${world.root}/config`, `${git}/config`)
            for (const hook of ["pre-commit", "post-checkout", "reference-transaction", "post-index-change"])
              await rm(`${git}/hooks/${hook}`)
          })
          const { run, work } = yield* ended(id)
          expect(run.error).toBeUndefined()
          expect(work.tasks.map(({ calls, failures }) => [calls, failures])).toEqual(work.tasks.map(() => [1, 0]))
          expect(existsSync(`${world.witness}/ran`)).toBe(false)
          expect(yield* show(world, top, "main:d-after.txt")).toBe("done\n")
        }).pipe(Effect.provide(Witness.manager(world)))
        yield* untouched
      }),
    300_000
  )
})
