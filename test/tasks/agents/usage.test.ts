/**
 * What turns cost, from streams as Claude Code and Codex print them. Their numbers are as in these reports:
 *
 * - the records of a message, which repeat its tokens: https://platform.claude.com/docs/en/agent-sdk/cost-tracking
 * - the money of a session that Claude Code 2.1.278 has resumed, $0.386463 after $0.363044, of which $0.023419 are its own:
 *   https://github.com/Enderfga/claw-orchestrator/pull/112
 * - the tokens of three turns of a thread of Codex, 18,080, 36,197 and 54,341: https://github.com/openai/codex/issues/16212, and their
 *   other fields: https://github.com/openai/codex/issues/19022
 */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as OutputFile from "../../../src/process/OutputFile.js"
import * as costs from "../../../src/progress/cost.js"
import * as usage from "../../../src/tasks/agents/usage.js"

const stream = (name: string) => fileURLToPath(new URL(`./usage/${name}.jsonl`, import.meta.url))

type Options = Partial<Parameters<typeof usage.count>[1]>

const counted = (name: string, { before, prices }: Options = {}) =>
  Effect.map(usage.read(stream(name)), (found) => usage.count(found, { before, prices }))

/** The costs of turns of one session, one after the other. */
const session = (names: ReadonlyArray<string>, { prices }: Options = {}) =>
  Effect.gen(function* () {
    const found: Array<usage.Counted["cost"]> = []
    let before: usage.Counted["total"] | undefined
    for (const name of names) {
      const turn = yield* counted(name, { before, prices })
      before = turn?.total ?? before
      found.push(turn?.cost ?? costs.nothing)
    }
    return found
  })

const first = { input: 28_716, cached: 36_000, output: 820 }
const second = { input: 1_204, cached: 64_000, output: 210 }

describe("a turn of Claude Code costs", () => {
  for (const version of ["2.1.276", "2.1.278"])
    it.effect(`the tokens of each message once, and its own money, also if ${version} resumes its session`, () =>
      Effect.gen(function* () {
        const turns = yield* session([`claude-${version}-first`, `claude-${version}-resumed`])
        expect(turns).toEqual([
          { ...first, usd: 0.363044 },
          { ...second, usd: 0.023419 }
        ])
        expect(costs.sum(turns)).toEqual({ input: 29_920, cached: 100_000, output: 1_030, usd: 0.386463 })
      })
    )

  for (const [what, resumed] of [
    ["the money of its process", "resumed"],
    ["the money of its session", "cumulative"]
  ] as const)
    it.effect(`about its own money if a version that is unknown reports ${what}`, () =>
      Effect.gen(function* () {
        const turns = yield* session(["claude-unversioned-first", `claude-unversioned-${resumed}`])
        expect(turns).toEqual([
          { ...first, usd: 0.363044 },
          { ...second, usd: 0.023419, isApproximate: true }
        ])
      })
    )

  it.effect("its tokens if it was cut off, and what follows it costs only its own money", () =>
    Effect.gen(function* () {
      const turns = yield* session(["claude-2.1.278-first", "claude-2.1.278-cut-off", "claude-2.1.278-resumed"])
      expect(turns).toEqual([
        { ...first, usd: 0.363044 },
        { input: 25_010, cached: 0, output: 140 },
        { ...second, usd: 0.023419 }
      ])
      expect(costs.sum(turns)).toMatchObject({ usd: 0.386463, isApproximate: true })
    })
  )

  it.effect("what it reports if that is less than the last total of its session", () =>
    Effect.gen(function* () {
      const found = yield* counted("claude-2.1.278-resumed", { before: { ...first, usd: 5 } })
      expect(found?.cost).toEqual({ ...second, usd: 0.386463 })
    })
  )
})

describe("a turn of Codex costs", () => {
  const prices = { input: 1.25, cached: 0.125, output: 10 }
  const names = ["codex-first", "codex-resumed", "codex-resumed-again"]
  const own = [
    { input: 11_168, cached: 6_912, output: 47 },
    { input: 1_989, cached: 16_128, output: 49 },
    { input: 2_016, cached: 16_128, output: 34 }
  ]

  it.effect("the tokens that its thread has used more than before", () =>
    Effect.gen(function* () {
      expect(yield* session(names)).toEqual(own)
    })
  )

  it.effect("money at the prices of its profile", () =>
    Effect.gen(function* () {
      const turns = yield* session(names, { prices })
      expect(turns.map(({ usd }) => usd)).toEqual([0.015294, 0.004992, 0.004876])
      expect(costs.sum(turns)).toMatchObject({ input: 15_173, cached: 39_168, output: 130, usd: 0.025162 })
    })
  )

  it.effect("nothing yet if it was cut off: the next one of its thread reports its tokens", () =>
    Effect.gen(function* () {
      const turns = yield* session(["codex-first", "codex-cut-off", "codex-resumed-again"])
      expect(turns).toEqual([own[0], costs.nothing, { input: 4_005, cached: 32_256, output: 83 }])
    })
  )

  it.effect("what it reports if its thread began another count", () =>
    Effect.gen(function* () {
      expect(yield* session(["codex-resumed-again", "codex-first"])).toEqual([
        { input: 15_173, cached: 39_168, output: 130 },
        own[0]
      ])
    })
  )
})

describe("the output of a turn", () => {
  const inDirectory = Effect.acquireRelease(
    Effect.sync(() => mkdtempSync("/tmp/charlotte-usage-")),
    (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
  )

  it.effect("shows no cost if it has no such records, or none that is a number, or is gone", () =>
    Effect.gen(function* () {
      const directory = yield* inDirectory
      writeFileSync(
        `${directory}/log`,
        'hello\n{"type":"result"}\n{"usage":{"input_tokens":1}}\n{"type":"result","total_cost_usd":1e999}\n{"type":"assistant","total_cost_usd"'
      )
      for (const log of [`${directory}/log`, `${directory}/gone`])
        expect(usage.count(yield* usage.read(log), { before: undefined, prices: undefined })).toBeUndefined()
    }).pipe(Effect.scoped)
  )

  it.scoped("counts of each kind of tokens the most that a record of a message has", () =>
    Effect.gen(function* () {
      const log = `${yield* inDirectory}/log`
      const records = [
        [10, 200, 3_000],
        [40, 300, 1_000],
        [20, 100, 2_000]
      ].map(([input_tokens, cache_read_input_tokens, output_tokens]) =>
        JSON.stringify({
          type: "assistant",
          message: { id: "m", usage: { input_tokens, cache_read_input_tokens, output_tokens } }
        })
      )
      writeFileSync(log, records.join("\n"))
      const found = usage.count(yield* usage.read(log), { before: undefined, prices: undefined })
      expect(found?.cost).toEqual({ input: 40, cached: 300, output: 3_000 })
    })
  )

  it.scoped(
    "is read while it grows beyond the head of its file, and is approximate once a part of it is left out",
    () =>
      Effect.gen(function* () {
        const directory = yield* inDirectory
        const message = (id: number) =>
          Buffer.from(`{"type":"assistant","message":{"id":"m${id}","usage":{"input_tokens":1,"output_tokens":2}}}\n`)
        const { append, finish } = yield* Effect.promise(() =>
          OutputFile.make(`${directory}/log`, 1_024 + OutputFile.markerSize)
        )
        const total = (n: number) => ({ input: n, cached: 0, output: 2 * n })
        const read = Effect.map(
          usage.read(`${directory}/log`),
          (found) => usage.count(found, { before: undefined, prices: undefined })?.cost
        )
        for (let id = 1; id <= 8; id++) yield* Effect.promise(() => append(message(id)))
        expect(yield* read).toEqual(total(8))
        for (let id = 9; id <= 40; id++) yield* Effect.promise(() => append(message(id)))
        yield* Effect.promise(() => finish({ tail: 10 }))
        expect(yield* read).toMatchObject({ isApproximate: true })
      })
  )
})
