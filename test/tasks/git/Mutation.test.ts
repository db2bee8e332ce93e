import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync } from "node:fs"
import { symlink } from "node:fs/promises"
import { branch, scenario, serviceOf } from "./Scenario.js"

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
