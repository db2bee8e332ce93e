import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync } from "node:fs"
import { rm, symlink } from "node:fs/promises"
import { branch, scenario, serviceOf, worktree } from "./Scenario.js"

scenario("changes to a repository are made one at a time, by whatever path it was opened", (world) =>
  Effect.gen(function* () {
    // A git that leaves a trace when two of its kind change the repository at once.
    const script = `#!/bin/sh
if [ "$1" != update-ref ]; then exec "$REAL" "$@"; fi
mkdir ${world.root}/busy || touch ${world.root}/overlap
"$REAL" "$@"; code=$?
sleep 0.05
rmdir ${world.root}/busy
exit $code
`
    yield* world.write(`${world.root}/bin/git`, script, 0o755)
    yield* Effect.promise(() => symlink(world.top, `${world.root}/link`))
    const REAL = (yield* world.git(world.top, "--exec-path")).trim() + "/git"
    const service = yield* serviceOf(world, {
      executable: `${world.root}/bin/git`,
      variables: { ...world.environment.variables, REAL }
    })
    const opened = yield* Effect.forEach([world.top, `${world.root}/link`, `${world.top}/dir`], (path) =>
      service.open(path)
    )
    yield* Effect.forEach(
      Array.from({ length: 9 }, (_, i) => i),
      (i) => service.createBranch(opened[i % 3] ?? world.repository, branch(`u${i}`), world.main),
      { concurrency: "unbounded" }
    )
    expect(yield* service.ownBranches(world.repository)).toHaveLength(9)
    expect(existsSync(`${world.root}/overlap`)).toBe(false)
  })
)

scenario("a worktree that another process is just making is waited for", (world) =>
  Effect.gen(function* () {
    const directory = `${world.top}/.git/worktrees/theirs`
    // What git has written of it, in the moment before it writes the rest.
    yield* world.write(`${directory}/gitdir`, `${world.root}/theirs/.git\n`)
    yield* world.write(`${directory}/HEAD`, "ref: refs/heads/other\n")
    yield* world.write(`${directory}/commondir`, "")
    yield* world.write(`${world.root}/theirs/.git`, `gitdir: ${directory}\n`)
    const rest = Effect.delay(world.write(`${directory}/commondir`, "../..\n"), "60 millis")
    const [tree] = yield* Effect.all([worktree(world, "ours"), rest], { concurrency: 2 })
    expect((yield* world.service.status(world.repository, tree)).changed).toEqual([])
    yield* Effect.promise(() => rm(directory, { recursive: true }))
  })
)
