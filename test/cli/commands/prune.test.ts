import { describe, expect, it } from "@effect/vitest"
import { ConfigProvider, Effect, Option } from "effect"
import { copyFileSync } from "node:fs"
import { charlotte } from "../../../src/cli/parser/commands.js"
import { Confirmation } from "../../../src/cli/terminal/Confirmation.js"
import { GitEnvironmentRef } from "../../../src/git/GitEnvironment.js"
import * as Repository from "../../support/Repository.js"
import { charlotte as manager, repository, run as runJob, task } from "../../tasks/Jobs.js"
import * as Capture from "../Capture.js"

/** A job whose result has not landed, and one of which nothing is missing in its target. */
const scene = Effect.gen(function* () {
  const world = yield* Repository.sandbox
  const { config, top } = yield* repository(world, { "01-a.md": task(1, "echo 1 > a", "test -e a") })
  const [kept, landed] = yield* Effect.gen(function* () {
    const first = yield* runJob({ ...config, land: false })
    return [first.id, (yield* runJob(config)).id]
  }).pipe(Effect.provide(manager(world)))
  const home = `${world.root}/charlotte`
  copyFileSync(`${world.root}/charlotte.db`, `${home}/charlotte.db`)
  const questions: Array<string> = []
  const run = (answer: boolean | undefined, ...argv: ReadonlyArray<string>) => command(answer, "prune", ...argv)
  const command = (answer: boolean | undefined, ...argv: ReadonlyArray<string>) =>
    Capture.run(charlotte, argv).pipe(
      Effect.provideService(Confirmation, (question) =>
        Effect.sync(() => (questions.push(question), Option.fromNullable(answer)))
      ),
      Effect.provideService(GitEnvironmentRef, world.environment),
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["CHARLOTTE_HOME", home]])))
    )
  const branches = Effect.map(
    world.git(top, "for-each-ref", "--format=%(refname:short)", "refs/heads/charlotte"),
    (lines) => lines.split("\n").filter((line) => line !== "")
  )
  return { branches, command, home, kept, landed, questions, root: world.root, run, top, write: world.write }
})

describe("charlotte prune", () => {
  it.scopedLive("asks for confirmation and names what it keeps, why, and how to remove it", () =>
    Effect.gen(function* () {
      const { branches, kept, landed, questions, run, top } = yield* scene
      const both = [`charlotte/${kept}/result`, `charlotte/${landed}/result`]
      expect(yield* branches).toEqual(both)
      const here = ["--repo", top]
      const no = yield* run(false, ...here)
      expect(no.out).toContain(`would remove the branch ${both[1]}\n`)
      expect(no.out).toContain("nothing was removed")
      const nobody = yield* run(undefined, ...here)
      expect([nobody.code, nobody.err]).toEqual([
        2,
        "charlotte: cannot ask for confirmation without a terminal; add --yes, or --dry-run to only look; see: charlotte prune --help\n"
      ])
      expect(yield* branches).toEqual(both)
      expect(questions).toEqual(["Remove all of this?", "Remove all of this?"])
      expect((yield* run(undefined, ...here, "--dry-run")).out).toContain(`would remove the branch ${both[1]}\n`)
      expect(yield* run(undefined, ...here, "--older-than", "7d")).toMatchObject({
        code: 0,
        out: "nothing to remove\n"
      })
      expect(yield* branches).toEqual(both)

      const yes = yield* run(true, ...here)
      expect(yes).toMatchObject({ code: 0, err: "" })
      expect(yes.out).toContain(`removed the branch ${both[1]}\n`)
      expect(yes.out).toMatch(new RegExp(`kept ${both[0]}: no other branch contains its last (\\d+ commits|commit)\n`))
      expect(yes.out).toContain(`to remove what is kept, and lose it: charlotte prune --discard ${kept}\n`)
      expect(yield* branches).toEqual([both[0]])

      const asked = questions.length
      const unset = yield* run(undefined, ...here, "--yes", "--discard")
      expect([unset.code, unset.err]).toEqual([
        2,
        "charlotte: --discard loses work; name the jobs, or add --all; see: charlotte prune --help\n"
      ])
      expect((yield* run(undefined, ...here, "--yes", "--discard", "")).code).toBe(2)
      expect(yield* branches).toEqual([both[0]])
      expect((yield* run(undefined, "--yes", "--discard", String(kept))).out).toContain(
        `removed the branch ${both[0]}\n`
      )
      expect(yield* branches).toEqual([])
      expect(questions).toHaveLength(asked)
    })
  )

  it.scopedLive("prunes the current repository only, and reports when there is none", () =>
    Effect.gen(function* () {
      const { branches, landed, root, run } = yield* scene
      const outside = yield* run(true, "--yes", "--repo", root)
      expect(outside).toEqual({
        code: 2,
        out: "",
        err: `charlotte: ${root} is not in a git repository; change to one, or add --all; see: charlotte prune --help\n`
      })
      // This one is that of the tests, in which no job has worked.
      expect((yield* run(true, "--dry-run")).out).toBe("nothing to remove\n")
      expect(yield* branches).toHaveLength(2)
      const all = yield* run(true, "--all", "--yes", "--json")
      expect(JSON.parse(all.out)).toMatchObject({
        pruned: [{ branches: [`charlotte/${landed}/result`], problems: [] }]
      })
    })
  )

  it.scopedLive("names, like doctor, what jobs left that are no longer recorded, and removes it with --discard", () =>
    Effect.gen(function* () {
      const { branches, command, home, kept, landed, run, top, write } = yield* scene
      yield* write(`${home}/config.yaml`, "retention: { maxRuns: 0 }\n")
      const first = yield* run(undefined, "--all", "--yes", "--json")
      expect(JSON.parse(first.out)).toMatchObject({ records: [{ jobs: [kept, landed] }] })
      const result = `charlotte/${kept}/result`
      expect(yield* branches).toEqual([result])
      const doctor = yield* command(undefined, "doctor", "--repo", top)
      expect(doctor.out).toContain(`1 branch, worktree or snapshot has work that exists nowhere else, in ${top}`)
      const planned = yield* run(undefined, "--all", "--dry-run")
      expect(planned.out).toMatch(new RegExp(`would keep ${result}: .*, and its job is no longer recorded\n`))
      expect(planned.out).toContain(`to remove what is kept, and lose it: charlotte prune --discard ${kept}\n`)
      expect((yield* run(undefined, "--yes", "--discard", String(kept))).out).toContain(
        `removed the branch ${result}\n`
      )
      expect(yield* branches).toEqual([])
      expect((yield* run(undefined, "--all", "--dry-run")).out).toBe("nothing to remove\n")
    })
  )
})
