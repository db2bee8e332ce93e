import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import { Here, layer as daemon, tasks } from "./Here.js"

layer(daemon(tasks), { excludeTestServices: true, timeout: "5 minutes" })("charlotte prune beside a daemon", (it) => {
  it.scoped("removes what ended jobs have left, and touches nothing of the one that is running", () =>
    Effect.gen(function* () {
      const { complete, git, reached, release, repository, run, submit } = yield* Here
      const ended = yield* complete("good")
      const active = yield* submit("waiting")
      yield* reached
      const branches = (id: string) =>
        git(repository, "for-each-ref", "--format=%(refname:short)", `refs/heads/charlotte/${id}`)
      const own = yield* branches(active)
      expect(own).toContain(`charlotte/${active}/unit/a`)

      const pruned = yield* run("prune", "--repo", repository, "--yes")
      expect([pruned.code, pruned.err]).toEqual([0, ""])
      expect(pruned.out).toContain(`removed the branch charlotte/${ended}/result\n`)
      expect(pruned.out).not.toContain(active)
      expect([yield* branches(ended), yield* branches(active)]).toEqual(["", own])

      const discarded = yield* run("prune", "--repo", repository, "--yes", "--discard", "--all")
      expect([discarded.code, discarded.out]).toEqual([0, "nothing to remove\n"])
      const named = yield* run("prune", active, "--yes", "--discard")
      expect([named.code, named.out]).toEqual([0, "nothing to remove\n"])
      expect(yield* branches(active)).toBe(own)

      yield* release
      expect((yield* run("watch", active)).code).toBe(0)
    })
  )
})
