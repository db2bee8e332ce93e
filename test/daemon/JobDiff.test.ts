import { expect, it, layer } from "@effect/vitest"
import { JobId } from "charlotte"
import { JobClient } from "charlotte/http"
import { Effect, type Scope } from "effect"
import { rename } from "node:fs/promises"
import { escapes, Here, layer as daemon, type Service, tasks } from "../cli/commands/Here.js"
import { task, unit } from "../tasks/Jobs.js"
import { unknownId } from "../support/jobs.js"
import * as World from "../http/world.js"

/** `wide` changes files with hostile names in one unit, and a file of its own in another. */
const files = (root: string) => ({
  ...tasks(root),
  "wide/charlotte.yaml": "agent: script\nattempts: 1\n",
  "wide/a/IMPLEMENTATION_PLAN.md": unit(),
  "wide/a/01-one.md": task(1, `printf 'one\\n' > '${escapes}<script>.txt'\ngit mv b.txt moved.txt`, "true"),
  "wide/b/IMPLEMENTATION_PLAN.md": unit(["a"]),
  "wide/b/01-two.md": task(1, "printf 'two\\n' > two.txt", "true"),
  "long/charlotte.yaml": "agent: script\nattempts: 1\n",
  "long/a/IMPLEMENTATION_PLAN.md": unit(),
  "long/a/01-one.md": task(1, "echo one > lines.txt", "true"),
  "long/a/02-two.md": task(2, "echo two >> lines.txt", "true", [1])
})

const client = ({ home }: Service) => JobClient.make({ socket: `${home}/socket` })

const summary = ({ files }: Effect.Effect.Success<ReturnType<JobClient.Service["diff"]>>) =>
  files.map(({ path, status }) => `${status} ${path}`)

const withClient = <A, E>(
  test: (here: Service, client: JobClient.Service) => Effect.Effect<A, E, Scope.Scope>
): Effect.Effect<A, unknown, Here | Scope.Scope> =>
  Effect.gen(function* () {
    const here = yield* Here
    return yield* test(here, yield* client(here))
  })

layer(daemon(files), { excludeTestServices: true, timeout: "5 minutes" })("GET /jobs/:id/diff", (it) => {
  it.scoped("has what the whole job has changed, and what each unit has, in its own commits", () =>
    withClient((here, { diff }) =>
      Effect.gen(function* () {
        const base = (yield* here.git(here.repository, "rev-parse", "main")).trim()
        const id = JobId.make(yield* here.complete("wide"))
        const head = (yield* here.git(here.repository, "rev-parse", `charlotte/${id}/result`)).trim()
        const all = yield* diff(id)
        expect(all).toMatchObject({ base, head })
        expect(all.next).toBeUndefined()
        expect(summary(all)).toEqual([
          `added ${escapes}<script>.txt`,
          "renamed moved.txt",
          "modified tasks/wide/a/01-one.md",
          "modified tasks/wide/b/01-two.md",
          "added two.txt"
        ])
        expect(all.files[1]).toMatchObject({ oldPath: "b.txt", additions: 0, deletions: 0, binary: false, patch: "" })
        expect(all.files[4]).toMatchObject({ additions: 1, deletions: 0, patch: "@@ -0,0 +1 @@\n+two" })
        const ofA = yield* diff(id, { unit: "a" })
        const ofB = yield* diff(id, { unit: "b" })
        expect(ofA.base).toBe(base)
        expect(ofB).toMatchObject({ base: ofA.head, head })
        expect([...summary(ofA), ...summary(ofB)].toSorted()).toEqual(summary(all).toSorted())
      })
    )
  )

  it.scoped("has what each task of a unit has changed, in its commit alone", () =>
    withClient((here, { diff }) =>
      Effect.gen(function* () {
        const id = JobId.make(yield* here.complete("long"))
        const whole = yield* diff(id, { unit: "a" })
        const one = yield* diff(id, { unit: "a", task: 1 })
        const two = yield* diff(id, { unit: "a", task: 2 })
        expect(summary(one)).toEqual(["added lines.txt", "modified tasks/long/a/01-one.md"])
        expect(summary(two)).toEqual(["modified lines.txt", "modified tasks/long/a/02-two.md"])
        expect(two.files[0]).toMatchObject({ patch: "@@ -1 +1,2 @@\n one\n+two" })
        expect([one.base, one.head, two.head]).toEqual([whole.base, two.base, whole.head])
        expect(summary(yield* diff(id, { unit: "a", task: 2, after: `${two.base}-${two.head}-1` }))).toEqual([
          "modified tasks/long/a/02-two.md"
        ])
        expect(yield* Effect.flip(diff(id, { unit: "a", task: 3 }))).toMatchObject({
          _tag: "DiffUnavailable",
          reason: "noSuchTask",
          task: 3,
          message: `there is no diff of task 3 of unit a of job ${id}: the unit has no such task`
        })
        expect(yield* Effect.flip(diff(id, { task: 1 }))).toMatchObject({ _tag: "InvalidQuery", parameter: "unit" })
        expect(yield* Effect.flip(diff(id, { unit: "a", task: 0 }))).toMatchObject({ _tag: "InvalidRequest" })
      })
    )
  )

  it.scoped("goes on at the same commits with the next page, whatever is committed meanwhile", () =>
    withClient((here, { diff }) =>
      Effect.gen(function* () {
        const id = JobId.make(yield* here.complete("good"))
        const { base, files, head } = yield* diff(id)
        const rest = yield* diff(id, { after: `${base}-${head}-1` })
        expect(rest).toMatchObject({ base, head, files: files.slice(1) })
        const back = yield* diff(id, { after: `${head}-${base}-0` })
        expect(summary(back)).toEqual(["deleted one", "modified tasks/good/a/01-one.md"])
        expect((yield* diff(id, { after: `${base}-${head}-9` })).files).toEqual([])
        const gone = "1".repeat(40)
        expect(yield* Effect.flip(diff(id, { after: `${base}-${gone}-0` }))).toMatchObject({
          reason: "gone",
          problem: gone
        })
        expect(yield* Effect.flip(diff(id, { after: "HEAD-main-0" }))).toMatchObject({ _tag: "InvalidRequest" })
      })
    )
  )

  it.scoped("has what is committed so far while the job is at work", () =>
    withClient((here, { diff }) =>
      Effect.gen(function* () {
        yield* here.fresh
        const id = JobId.make(yield* here.submit("waiting"))
        yield* here.reached
        const whole = yield* diff(id)
        expect(whole.files).toEqual([])
        expect(whole.head).toBe(whole.base)
        expect(summary(yield* diff(id, { unit: "a" }))).toEqual(["modified tasks/waiting/a/01-one.md"])
        expect(summary(yield* diff(id, { unit: "b" }))).toEqual([])
        expect(summary(yield* diff(id, { unit: "a", task: 1 }))).toEqual(["modified tasks/waiting/a/01-one.md"])
        expect(yield* Effect.flip(diff(id, { unit: "b", task: 1 }))).toMatchObject({
          reason: "noCommit",
          message: `there is no diff of task 1 of unit b of job ${id}: the task has no commit`
        })
        yield* here.release
        yield* here.run("watch", id)
        expect(summary(yield* diff(id))).toHaveLength(3)
        expect(yield* Effect.flip(diff(id, { unit: "c" }))).toMatchObject({
          _tag: "DiffUnavailable",
          reason: "noSuchUnit",
          message: `there is no diff of unit c of job ${id}: it has no such unit`
        })
      })
    )
  )

  it.scoped("is there without the branches of the job, until git has cleared its commits away", () =>
    withClient((here, { diff }) =>
      Effect.gen(function* () {
        const { git, repository, run } = here
        const first = JobId.make(yield* here.complete("wide"))
        expect(yield* run("prune", "--all", "--discard", "--yes")).toMatchObject({ code: 0, err: "" })
        expect(yield* git(repository, "branch", "--list", "charlotte/*")).toBe("")
        expect(summary(yield* diff(first))).toHaveLength(5)
        const targets = yield* git(repository, "branch", "--list", "branch-*", "--format=%(refname:short)")
        yield* git(repository, "branch", "-D", ...targets.trim().split("\n"))
        yield* git(repository, "reflog", "expire", "--expire=now", "--all")
        yield* git(repository, "gc", "--quiet", "--prune=now")
        const gone = yield* Effect.flip(diff(first))
        expect(gone).toMatchObject({ _tag: "DiffUnavailable", reason: "gone" })
        expect(gone.message).toMatch(/^there is no diff of job \w{26}: git no longer has its commits: [0-9a-f]{40}$/)
        yield* Effect.promise(() => rename(repository, `${repository}-moved`))
        expect(yield* Effect.flip(diff(first))).toMatchObject({
          reason: "repository",
          problem: expect.stringContaining(`${repository} is not the working tree of a git repository`)
        })
        yield* Effect.promise(() => rename(`${repository}-moved`, repository))
        expect(yield* Effect.flip(diff(JobId.make(unknownId)))).toMatchObject({ _tag: "JobNotFound" })
      })
    )
  )
})

it.scopedLive("a job of a kind without a repository has no diff, and says so", () =>
  Effect.gen(function* () {
    const world = yield* World.make()
    const id = yield* world.bySocket.start({ repoPath: "/r", tasksDir: "t", targetBranch: "main" })
    const answer = yield* world.send({ path: `/api/v1/jobs/${id}/diff` })
    expect(answer).toMatchObject({ status: 409, json: { _tag: "DiffUnavailable", jobId: id, reason: "notBegun" } })
  })
)
