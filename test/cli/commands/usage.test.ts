/** Arguments that are refused before anything is done. */
import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { readdirSync } from "node:fs"
import * as Charlotte from "../process/Charlotte.js"
import * as Tasks from "../process/Tasks.js"
import * as CommandLine from "./CommandLine.js"

const refused: ReadonlyArray<readonly [words: ReadonlyArray<string>, says: string]> = [
  [["resume", "latest", "--usd", "0"], "an amount in US dollars, more than 0, such as 30 or 0.50"],
  [["resume", "latest", "--usd", "0.0"], "an amount in US dollars, more than 0"],
  [["answer", "latest", " "], "see: charlotte answer --help"],
  [["answer", "latest", "api", ""], "see: charlotte answer --help"],
  [["plan", "--prompt", "api"], "--prompt needs a unit and the number of a task"]
]

it.scopedLive.each(refused)("charlotte %j is refused, and no home is made for it", ([words, says]) =>
  Effect.gen(function* () {
    const world = yield* Charlotte.world(() => Tasks.simple)
    const before = readdirSync(world.root)
    const { code, err, out } = yield* CommandLine.make(world)(words).answer
    expect([code, out, err]).toEqual([2, "", expect.stringContaining(says)])
    expect(readdirSync(world.root)).toEqual(before)
  })
)

it.scopedLive("charlotte export-home says why a file cannot be written, and that one of its name is left alone", () =>
  Effect.gen(function* () {
    const world = yield* Charlotte.world(() => Tasks.simple)
    const run = (file: string) => CommandLine.make(world)(["export-home", file]).answer
    yield* world.write(`${world.root}/there.gz`, "mine")
    expect(yield* run(`${world.root}/there.gz`)).toEqual({
      code: 2,
      out: "",
      err: `charlotte: cannot write to ${world.root}/there.gz: a file of that name exists; name another file, or move that one away\n`
    })
    const missing = yield* run(`${world.root}/missing/a.gz`)
    expect([missing.code, missing.out]).toEqual([2, ""])
    expect(missing.err).not.toContain("a file of that name exists")
    expect(missing.err).toContain("ENOENT")
  })
)
