import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, truncateSync, writeFileSync } from "node:fs"
import { scenario, type World } from "./Scenario.js"

/** A line of a trace, as a git process writes it. */
const line = (event: string, fields: object) => `${JSON.stringify({ event, sid: "1", ...fields })}\n`

/** A process that ran `git branch` in the repository. */
const branching = ({ repository }: World) =>
  line("start", { argv: ["git", "branch", "theirs"] }) +
  line("def_repo", { worktree: repository.topLevel }) +
  line("cmd_name", { name: "branch" })

/** The moves that a trace shows after the branch `theirs` was created. */
const moves = (world: World, write: (trace: string) => void) =>
  Effect.gen(function* () {
    const { repository, service } = world
    const trace = `${world.root}/trace`
    const before = yield* service.userRefs(repository)
    yield* world.git(world.top, "branch", "theirs", "main")
    write(trace)
    const moved = yield* service.movedUserRefs(repository, before, trace)
    yield* world.git(world.top, "branch", "-D", "theirs")
    expect(existsSync(trace)).toBe(false)
    return moved.map(({ ref }) => ref)
  })

scenario("a moved ref counts only if the trace has a git process that may have moved it", (world) =>
  Effect.gen(function* () {
    const processes = branching(world)
    expect(yield* moves(world, (trace) => writeFileSync(trace, processes))).toEqual(["refs/heads/theirs"])
    const noise = "\n{\n{}\n".repeat(100_000)
    expect(yield* moves(world, (trace) => writeFileSync(trace, noise + processes))).toEqual(["refs/heads/theirs"])
    expect(yield* moves(world, (trace) => writeFileSync(trace, noise))).toEqual([])
    expect(yield* moves(world, () => {})).toEqual([])
  })
)

scenario("a trace that is too large to be read leaves open who moved a ref, so the refs are compared", (world) =>
  Effect.gen(function* () {
    const tooLarge = (trace: string) => {
      writeFileSync(trace, "")
      truncateSync(trace, 300_000_000)
    }
    expect(yield* moves(world, tooLarge)).toEqual(["refs/heads/theirs"])
  })
)
