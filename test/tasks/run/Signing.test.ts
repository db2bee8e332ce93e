import { expect, it } from "@effect/vitest"
import { DateTime, Effect } from "effect"
import * as Summary from "../../../src/cli/run/Summary.js"
import * as SummaryText from "../../../src/cli/run/SummaryText.js"
import * as Repository from "../../support/Repository.js"
import { charlotte, repository, run, task } from "../Jobs.js"

it.scopedLive("the summary of a job counts the commits that could not be signed", () =>
  Effect.gen(function* () {
    const world = yield* Repository.sandbox
    const { config } = yield* repository(world, { "01-a.md": task(1, "echo a > a", "test -e a") })
    // Without a key.
    yield* world.shell(
      world.root,
      "git config --global commit.gpgSign true; git config --global gpg.format ssh; git config --global user.signingKey none"
    )
    const ended = yield* run(config).pipe(Effect.provide(charlotte(world)))
    expect(ended.run).toMatchObject({ status: "completed", result: { commits: 1, unsigned: 1 } })
    const facts = SummaryText.facts(Summary.of(ended, DateTime.unsafeMake(0)))
    expect(facts).toContainEqual(["commits", "1, 1 not signed"])
  })
)
