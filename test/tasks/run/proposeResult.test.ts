/** Results that are proposed as pull requests instead of landing. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { renameSync } from "node:fs"
import * as Repository from "../../support/Repository.js"
import { charlotte, repository, run, unchangedFromHere } from "../Jobs.js"
import { creates, failing, filesOf, settings } from "./FiveUnits.js"
import * as Forge from "./Forge.js"
import { blockedBy, commitOf, type Config, refusal, retry } from "./Scenes.js"

/** A repository with a remote, and a manager that finds the stand-in for `gh`. */
const scene = (options?: Parameters<typeof Forge.make>[2], more: Record<string, string> = {}) =>
  Effect.gen(function* () {
    const world = yield* Repository.sandbox
    const { config, top } = yield* repository(world, {
      "charlotte.yaml": settings(world, "land: pull-request\ntitle: More letters\n"),
      ...creates(world, "d"),
      ...creates(world, "e", { dependsOn: ["d"] }),
      ...more
    })
    const forge = yield* Forge.make(world, top, options)
    const environment = forge.proposing(world.environment)
    const manager = (land?: "pull-request" | "auto") =>
      charlotte({ ...world, environment }, { around: environment.variables, ...(land && { land }) })
    return { ...forge, config, manager, top, untouched: yield* unchangedFromHere(world, top), world }
  })

describe("land: pull-request", () => {
  it.scopedLive("pushes the result and opens one pull request, and moves no branch of the user", () =>
    Effect.gen(function* () {
      const { args, calls, config, manager, pushed, remote, top, untouched, world } = yield* scene()
      const { events, id, run: ended } = yield* Effect.provide(run(config), manager())
      const branch = `charlotte/${id}/result`
      const pullRequest = { isOpen: true, url: `${Forge.page}/pull/7` }
      expect(ended).toMatchObject({ status: "completed", result: { branch, commits: 2, pullRequest } })
      expect(ended.result).not.toHaveProperty("landed")
      expect(events.filter(({ type }) => type.startsWith("orch.")).map(({ payload, type }) => [type, payload])).toEqual(
        [
          ["orch.started", expect.anything()],
          ["orch.proposed", { target: "main", branch, remote: "origin", ...pullRequest }]
        ]
      )
      expect(yield* calls).toEqual(["list", "create"])
      expect((yield* args).slice(0, 8)).toEqual([
        "--repo",
        "github.com/acme/app",
        "--base",
        "main",
        "--head",
        branch,
        "--title",
        "More letters"
      ])
      expect((yield* args).slice(9)).toEqual([
        "### d",
        "",
        "* Task 1",
        "",
        "### e",
        "",
        "* Task 1",
        "",
        `Charlotte job ${id}`,
        ""
      ])
      expect(yield* pushed).toEqual([branch])
      expect(yield* commitOf(world, remote, branch)).toBe(yield* commitOf(world, top, branch))
      expect(yield* filesOf(world, remote, branch)).toEqual(["a.txt", "b.txt", "d.txt", "e.txt"])
      yield* untouched
    })
  )

  it.scopedLive("names the page on which to open one where gh is not installed", () =>
    Effect.gen(function* () {
      const { config, manager, pushed } = yield* scene({ hasGh: false })
      const { id, run: ended } = yield* Effect.provide(run(config), manager())
      const url = `${Forge.page}/compare/main...charlotte/${id}/result?expand=1`
      expect(ended).toMatchObject({ status: "completed", result: { pullRequest: { isOpen: false, url } } })
      expect(yield* pushed).toEqual([`charlotte/${id}/result`])
    })
  )

  it.scopedLive("tries gh three times, and then names the page and the reason", () =>
    Effect.gen(function* () {
      const { calls, config, manager, world } = yield* scene()
      yield* world.write(`${world.root}/forge/broken`, "")
      const { run: ended } = yield* Effect.provide(run(config), manager())
      expect(ended).toMatchObject({
        status: "completed",
        result: {
          pullRequest: {
            isOpen: false,
            url: expect.stringContaining("/compare/main..."),
            problem: "gh pr list exited with code 1: HTTP 502 from list"
          }
        }
      })
      expect(yield* calls).toEqual(["list", "list", "list"])
    })
  )

  it.scopedLive("fails if the branch cannot be pushed, and a retry proposes the same work", () =>
    Effect.gen(function* () {
      const { config, manager, opened, remote, untouched } = yield* scene()
      renameSync(remote, `${remote}.away`)
      yield* Effect.gen(function* () {
        const blocked = yield* run(config)
        const { command, reason } = yield* blockedBy(blocked)
        expect(reason).toContain(`charlotte/${blocked.id}/result could not be pushed to origin: git: push failed`)
        expect(yield* opened).toBe(0)
        renameSync(`${remote}.away`, remote)
        const again = yield* retry(config, command)
        expect(again.run).toMatchObject({ status: "completed", result: { pullRequest: { isOpen: true } } })
        expect(again.types.filter((type) => type.startsWith("task."))).toEqual([])
        expect(yield* opened).toBe(1)
      }).pipe(Effect.provide(manager()))
      yield* untouched
    })
  )

  it.scopedLive("proposes nothing of a job with a failed unit, until what is done is landed in that way", () =>
    Effect.gen(function* () {
      const scenery = yield* scene()
      const { config, manager, opened, pushed, remote, top, world } = scenery
      yield* world.git(top, "switch", "--quiet", "main")
      for (const [file, text] of Object.entries(failing(world))) yield* world.write(`${top}/tasks/${file}`, text)
      yield* world.shell(top, "git add tasks && git commit --quiet -m more")
      const before = yield* commitOf(world, top, "main")
      yield* Effect.gen(function* () {
        const failed = yield* run(config)
        expect(failed.run.status).toBe("failed")
        expect([yield* opened, yield* pushed]).toEqual([0, []])
        const { agent: _, ...rest } = config
        const second = yield* run({ ...rest, landOf: failed.id })
        expect(second.run).toMatchObject({ status: "completed", result: { pullRequest: { isOpen: true } } })
        expect(second.types).toContain("unit.verifying")
        expect(yield* filesOf(world, remote, `charlotte/${second.id}/result`)).toEqual([
          "a.txt",
          "b.txt",
          "d.txt",
          "e.txt"
        ])
        expect(yield* commitOf(world, top, "main")).toBe(before)
      }).pipe(Effect.provide(manager()))
    })
  )

  it.scopedLive("is what a configuration makes of jobs that would land, and needs a remote", () =>
    Effect.gen(function* () {
      const { config, manager, opened, top, untouched, world } = yield* scene()
      const lands: Config = { ...config, land: "auto" }
      const { run: ended } = yield* Effect.provide(run(lands), manager("pull-request"))
      expect(ended).toMatchObject({ status: "completed", result: { pullRequest: { isOpen: true } } })
      expect(yield* opened).toBe(1)
      yield* untouched
      yield* world.git(top, "remote", "remove", "origin")
      const noRemote =
        "invalid job configuration: land: the repository has no remote: add one with: git remote add origin URL"
      const { message } = yield* Effect.provide(refusal(run(config)), manager())
      expect(message).toBe(noRemote)
      const kept = yield* Effect.provide(run({ ...config, land: "never" }), manager())
      const { agent: _, ...rest } = config
      const landing = yield* Effect.provide(refusal(run({ ...rest, landOf: kept.id })), manager())
      expect(landing.message).toBe(noRemote)
    })
  )
})
