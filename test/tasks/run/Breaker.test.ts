/** Turns of agents that are no verdict on their task: without an answer of the model, or without a service. */
import { describe, expect, it } from "@effect/vitest"
import { RunStore } from "charlotte"
import { DateTime, Duration, Effect, Option, TestClock } from "effect"
import * as ProcessOutcome from "../../../src/process/ProcessOutcome.js"
import * as TurnEnd from "../../../src/tasks/agents/TurnEnd.js"
import * as AgentGate from "../../../src/tasks/run/AgentGate.js"
import { created, id } from "../../store/runs.js"

/** To two digits. */
const rounded = (minutes: number) => Math.round(minutes * 100) / 100

const minutes = (at: DateTime.Utc) => rounded(DateTime.toEpochMillis(at) / 60_000)

/** What a turn leads to: `attempt`, `again 5 s`, or `limited` or `waits` with the minute until which. */
const turnOf =
  (gate: AgentGate.AgentGate) =>
  (
    end: TurnEnd.TurnEnd,
    {
      agent = "claude",
      job = 1,
      model,
      task = 1,
      unit = "a"
    }: { agent?: string; job?: number; model?: string; task?: number; unit?: string } = {}
  ) =>
    gate
      .turn({ id: id(job), attempt: 1 }, agent, { unit, task, model })(Effect.succeed({ value: undefined, end }))
      .pipe(
        Effect.map(({ again, limit }) =>
          Option.isSome(limit)
            ? `limited ${minutes(limit.value.until)}`
            : Option.match(again, {
                onNone: () => (end.class === "done" ? "done" : "attempt"),
                onSome: (pause) => `again ${Duration.toSeconds(pause)} s`
              })
        ),
        Effect.catchTags({
          AgentLimited: ({ limit }) => Effect.succeed(`refused ${minutes(limit.until)}`),
          AgentProbed: () => Effect.succeed("probed"),
          TaskUnanswered: ({ until }) => Effect.succeed(`waits ${minutes(until)}`)
        })
      )

const makeGate = Effect.flatMap(RunStore.RunStore, AgentGate.make)

const setting = Effect.gen(function* () {
  yield* created(1)
  yield* created(2)
  const { agentLimits } = yield* RunStore.RunStore
  const gate = yield* makeGate
  return {
    gate,
    turn: turnOf(gate),
    limit: Effect.map(agentLimits.get("claude"), Option.getOrUndefined),
    to: (minute: number) => TestClock.setTime(minute * 60_000)
  }
})

const test = <A, E>(body: Effect.Effect<A, E, RunStore.RunStore>) =>
  Effect.provide(Effect.scoped(body), RunStore.layerMemory)

const done: TurnEnd.TurnEnd = { class: "done", answered: true }
const judged: TurnEnd.TurnEnd = { class: "failed", answered: true }
const unanswered = (message = "no more of this"): TurnEnd.TurnEnd => ({ class: "unanswered", answered: false, message })
const unreachable: TurnEnd.TurnEnd = { class: "network", answered: false, message: "overloaded" }
const brokenOff: TurnEnd.TurnEnd = { class: "network", answered: true, message: "the socket was closed" }

/** Five seconds later than a minute, as part of it. */
const and5s = (minute: number) => minute + 5 / 60

const refused = (minute: number) => `refused ${rounded(minute)}`

describe("turns without an answer of the model", () => {
  it.effect("use no attempt, and after three in a row their unit waits, ever longer", () =>
    test(
      Effect.gen(function* () {
        const { limit, to, turn } = yield* setting
        expect([yield* turn(unanswered()), yield* turn(unanswered())]).toEqual(["again 1 s", "again 2 s"])
        const waits: Array<string> = []
        for (const minute of [0, 5, 15, 35, 75, 135]) {
          yield* to(minute)
          waits.push(yield* turn(unanswered()))
        }
        expect(waits).toEqual(["waits 5", "waits 15", "waits 35", "waits 75", "waits 135", "waits 195"])
        expect(yield* turn(done)).toBe("waits 195")
        expect(yield* limit).toBeUndefined()
        yield* to(195)
        expect([yield* turn(done), yield* turn(unanswered())]).toEqual(["done", "again 1 s"])
      })
    )
  )

  it.effect("keep neither another unit nor another agent from its turns", () =>
    test(
      Effect.gen(function* () {
        const { turn } = yield* setting
        for (let n = 0; n < 3; n++) yield* turn(unanswered())
        expect(yield* turn(unanswered())).toBe("waits 5")
        expect(yield* turn(judged, { unit: "b" })).toBe("attempt")
        expect(yield* turn(done, { job: 2 })).toBe("done")
        expect(yield* turn(unanswered(), { agent: "codex" })).toBe("again 1 s")
      })
    )
  )

  it.effect("of one task are attempts once the agent has answered others, and never stop the agent", () =>
    test(
      Effect.gen(function* () {
        const { limit, to, turn } = yield* setting
        for (let n = 0; n < 3; n++) yield* turn(unanswered())
        yield* turn(done, { unit: "b" })
        yield* to(5)
        for (let n = 0; n < 3; n++) expect(yield* turn(unanswered())).toBe("attempt")
        expect(yield* limit).toBeUndefined()
        expect(yield* turn(done, { unit: "b" })).toBe("done")
      })
    )
  )

  it.effect("of one model are no attempts where the agent has answered others with another model", () =>
    test(
      Effect.gen(function* () {
        const { gate, limit, to, turn } = yield* setting
        const opus = { model: "opus" }
        for (let n = 0; n < 3; n++) yield* turn(unanswered(), opus)
        yield* turn(done, { unit: "b", model: "sonnet" })
        yield* turn(done, { unit: "b" })
        yield* to(5)
        expect(yield* turn(unanswered(), opus)).toBe("waits 15")
        // At two units in the same words, the model is at a limit, and no other.
        for (let n = 0; n < 2; n++) yield* turn(unanswered(), { ...opus, unit: "c" })
        expect(yield* turn(unanswered(), { ...opus, unit: "c" })).toBe("limited 10.08")
        expect([yield* limit, yield* gate.isFree("claude/opus")]).toEqual([undefined, false])
        expect(yield* turn(done, { ...opus, unit: "d" })).toBe("refused 10")
        expect(yield* turn(done, { unit: "b", model: "sonnet" })).toBe("done")
        expect(yield* turn(done, { unit: "b" })).toBe("done")
        yield* to(10)
        expect(yield* turn(done, { ...opus, unit: "d" })).toBe("done")
        expect(yield* gate.isFree("claude/opus")).toBe(true)
      })
    )
  )

  it.effect(
    "of one model end where a turn of that model was answered, and its other limits are those of the agent",
    () =>
      test(
        Effect.gen(function* () {
          const { limit, turn } = yield* setting
          const opus = { model: "opus" }
          for (let n = 0; n < 2; n++) yield* turn(unanswered(), opus)
          yield* turn(done, opus)
          expect(yield* turn(unanswered(), opus)).toBe("again 1 s")
          const resetsAt = DateTime.unsafeMake(10 * 60_000)
          expect(yield* turn({ class: "usageLimit", answered: false, message: "no", resetsAt }, opus)).toBe(
            "limited 10"
          )
          expect((yield* limit)?.agent).toBe("claude")
          expect(yield* turn(done, { unit: "b", model: "sonnet" })).toBe("refused 10")
        })
      )
  )

  it.effect("of one task are no attempts where the agent has answered others only before the last of them", () =>
    test(
      Effect.gen(function* () {
        const { turn } = yield* setting
        for (let n = 0; n < 2; n++) yield* turn(unanswered())
        yield* turn(done, { unit: "b" })
        expect(yield* turn(unanswered())).toBe("waits 5")
      })
    )
  )

  it.effect("of one task are no longer in a row after a turn that was answered and then reached a limit", () =>
    test(
      Effect.gen(function* () {
        const { to, turn } = yield* setting
        for (let n = 0; n < 3; n++) yield* turn(unanswered())
        yield* to(5)
        const resetsAt = DateTime.unsafeMake(10 * 60_000)
        expect(yield* turn({ class: "usageLimit", answered: true, message: "no", resetsAt })).toBe("limited 10")
        yield* to(10)
        expect(yield* turn(done, { unit: "b" })).toBe("done")
        expect(yield* turn(unanswered())).toBe("again 1 s")
      })
    )
  )

  for (const [what, other] of [
    ["two units", { unit: "b" }],
    ["two jobs", { job: 2 }]
  ] as const) {
    it.effect(`at ${what} in the same words, but for words with a digit, limit the agent for all`, () =>
      test(
        Effect.gen(function* () {
          const { limit, to, turn } = yield* setting
          for (let n = 0; n < 3; n++) yield* turn(unanswered(`try later, request r${n}`))
          for (let n = 7; n < 9; n++) yield* turn(unanswered(`try later, request r${n}`), other)
          yield* to(1)
          expect(yield* turn(unanswered("try later, request r9"), other)).toBe(`limited ${rounded(6 + 10 / 60)}`)
          expect(yield* limit).toMatchObject({ kind: "unanswered", reason: "try later, request r9", refusals: 1 })
          expect(yield* turn(done, { unit: "c" })).toBe("refused 6")
        })
      )
    )
  }

  it.effect("do not limit the agent where their words differ, or where it has answered in between", () =>
    test(
      Effect.gen(function* () {
        const { limit, turn } = yield* setting
        for (let n = 0; n < 3; n++) yield* turn(unanswered("this prompt is too long"))
        for (let n = 0; n < 3; n++) yield* turn(unanswered("the hook has failed"), { unit: "b" })
        expect(yield* limit).toBeUndefined()
        yield* turn(done, { unit: "c" })
        for (let n = 0; n < 3; n++) yield* turn(unanswered("the hook has failed"), { unit: "d" })
        expect(yield* limit).toBeUndefined()
      })
    )
  )

  it.effect("are probed by another unit than the last, and the agent is free as soon as it answers", () =>
    test(
      Effect.gen(function* () {
        const { limit, to, turn } = yield* setting
        for (let n = 0; n < 3; n++) yield* turn(unanswered())
        yield* TestClock.adjust("1 seconds")
        for (let n = 0; n < 3; n++) yield* turn(unanswered(), { unit: "b" })
        const reset = DateTime.toEpochMillis((yield* limit)?.until ?? expect.fail("it has no limit")) / 60_000
        yield* to(reset)
        expect([yield* turn(unanswered()), yield* turn(unanswered(), { unit: "b" })]).toEqual([
          refused(and5s(reset)),
          refused(and5s(and5s(reset)))
        ])
        expect(yield* turn(unanswered(), { unit: "c" })).toBe(`limited ${rounded(reset + 10 + 15 / 60)}`)
        // Without a unit that was not refused yet, the one that was refused first.
        yield* to(and5s(reset + 10))
        expect(yield* turn(unanswered(), { unit: "b" })).toBe(refused(and5s(and5s(reset + 10))))
        expect(yield* turn(done)).toBe("done")
        expect(yield* limit).toBeUndefined()
        expect(yield* turn(done, { unit: "b" })).toBe("done")
      })
    )
  )

  it.effect("let the agent be tried after 5 minutes, doubling up to an hour", () =>
    test(
      Effect.gen(function* () {
        const { limit, to, turn } = yield* setting
        for (let n = 0; n < 3; n++) yield* turn(unanswered())
        for (let n = 0; n < 3; n++) yield* turn(unanswered(), { unit: "b" })
        const pauses: Array<number> = []
        for (let at = 0, n = 0; n < 6; n++) {
          const until = minutes((yield* limit)?.until ?? expect.fail("it has no limit"))
          pauses.push(until - at)
          at = until
          yield* to(at)
          yield* turn(unanswered(), { unit: `probe-${n}` })
        }
        expect(pauses).toEqual([5, 10, 20, 40, 60, 60])
        expect(yield* limit).toMatchObject({ since: DateTime.unsafeMake(0) })
      })
    )
  )

  it.effect("are counted on after a crash between any two of them", () =>
    test(
      Effect.gen(function* () {
        const { limit, to } = yield* setting
        const turn = (...args: Parameters<ReturnType<typeof turnOf>>) =>
          Effect.flatMap(makeGate, (gate) => turnOf(gate)(...args))
        const first = [yield* turn(unanswered()), yield* turn(unanswered()), yield* turn(unanswered())]
        expect(first).toEqual(["again 1 s", "again 2 s", "waits 5"])
        expect(yield* turn(done)).toBe("waits 5")
        for (let n = 0; n < 3; n++) yield* turn(unanswered(), { unit: "b" })
        expect(yield* limit).toMatchObject({ kind: "unanswered" })
        expect(yield* turn(done, { unit: "c" })).toBe("refused 5")
        yield* to(5)
        expect(yield* turn(unanswered(), { unit: "c" })).toBe(`limited ${rounded(15 + 15 / 60)}`)
        yield* to(15)
        expect(yield* turn(done, { unit: "d" })).toBe("done")
        for (let n = 0; n < 3; n++) expect(yield* turn(unanswered())).toBe("attempt")
      })
    )
  )

  it.effect("are followed by a turn at once where a person has resumed the job", () =>
    test(
      Effect.gen(function* () {
        const { gate, limit, turn } = yield* setting
        const resume = gate.expire({ id: id(1), attempt: 1 }, "claude")
        for (let n = 0; n < 3; n++) yield* turn(unanswered())
        yield* resume
        expect(yield* turn(unanswered())).toBe("again 1 s")
        for (let n = 0; n < 2; n++) yield* turn(unanswered())
        for (let n = 0; n < 3; n++) yield* turn(unanswered(), { unit: "b" })
        yield* turn(unanswered(), { unit: "c" })
        expect(yield* limit).toMatchObject({ kind: "unanswered" })
        yield* resume
        expect(yield* turn(unanswered())).toMatch(/^limited 10/)
        yield* resume
        expect(yield* turn(done)).toBe("done")
      })
    )
  )
})

describe("turns that do not reach the service of the agent", () => {
  it.effect("use no attempt, and after 5 minutes count as an outage that is probed every 15 minutes", () =>
    test(
      Effect.gen(function* () {
        const { limit, to, turn } = yield* setting
        const pauses: Array<string> = []
        for (let n = 0; n < 6; n++) pauses.push(yield* turn(unreachable))
        expect(pauses).toEqual([5, 10, 20, 40, 80, 160].map((pause) => `again ${pause} s`))
        expect(yield* turn(unreachable)).toBe("limited 15")
        expect(yield* limit).toMatchObject({ kind: "outage", reason: "overloaded" })
        expect(yield* turn(done, { job: 2 })).toBe("refused 15")
        for (const minute of [15, 30, 45]) {
          yield* to(minute)
          expect(yield* turn(unreachable, { unit: "b" })).toBe(`limited ${minute + 15}`)
          expect(yield* turn(done, { job: 2 })).toBe(`refused ${minute + 15}`)
          expect(yield* limit).toMatchObject({ since: DateTime.unsafeMake(0) })
        }
        yield* to(60)
        expect(yield* turn(done, { job: 2 })).toBe("done")
        expect(yield* limit).toBeUndefined()
        expect(yield* turn(unreachable)).toBe("again 5 s")
      })
    )
  )

  it.effect("are one attempt where five in a row broke off after the model had answered", () =>
    test(
      Effect.gen(function* () {
        const { limit, turn } = yield* setting
        for (let round = 0; round < 2; round++) {
          const turns: Array<string> = []
          for (let n = 0; n < 5; n++) turns.push(yield* turn(brokenOff))
          expect(turns).toEqual(["again 5 s", "again 10 s", "again 20 s", "again 40 s", "attempt"])
        }
        for (let n = 0; n < 4; n++) yield* turn(brokenOff)
        yield* turn(unreachable)
        expect(yield* turn(brokenOff)).toBe("again 5 s")
        expect(yield* limit).toBeUndefined()
      })
    )
  )
})

/** Messages that agents may print some day: of accounts, money, services and crashes. */
const messages = [
  "Your plan's allowance has been used up; come back at 14:00",
  "Fair use threshold exceeded for this workspace",
  "Weekly compute budget exhausted, renews on Dec 3rd",
  "This organization is paused by its administrator",
  "Too many concurrent sessions (5 of 5)",
  "Please accept the updated terms of service",
  "Your trial has ended",
  "Model retired; choose another one",
  "Payment of invoice 20261 failed",
  "We could not verify your subscription",
  "Capacity for your tier is reserved until 06:30",
  "The region of your account is not supported",
  "Quota guard tripped for key k-18f3",
  "Billing profile incomplete",
  "Your seat was reassigned",
  "Policy update required: run setup again",
  "Access window closed",
  "Device limit reached, remove one of 10 devices",
  "Internal license server said no",
  "unexpected end of handshake with gateway 7",
  "Usage cap for Tuesday hit",
  "panic: index out of range",
  "Cannot find module 'agent-core'",
  "node: bad option: --frozen",
  "EACCES: permission denied, open '/home/me/.agent/settings'",
  "JSON configuration is invalid near line 12",
  "Illegal instruction",
  "This version is no longer supported; update to 9.1.2",
  "keychain is locked",
  "tenant migration in progress, 83 % done"
]

const read = (format: TurnEnd.Turn["format"], output: string) =>
  TurnEnd.read(
    {
      outcome: ProcessOutcome.Exited({ code: 1 }),
      format,
      tail: output,
      size: Buffer.byteLength(output),
      took: Duration.seconds(3)
    },
    { now: DateTime.unsafeMake(0), zone: DateTime.zoneUnsafeMakeNamed("UTC") }
  )

const lines = (...records: ReadonlyArray<unknown>) => records.map((record) => `${JSON.stringify(record)}\n`).join("")

/** How an agent prints a message that comes from no answer of its model. */
const refusals = {
  "claude's result": (text: string) =>
    read(
      "claude-stream-json",
      lines(
        { type: "system", subtype: "init" },
        { type: "assistant", message: { model: "<synthetic>", content: [{ type: "text", text }] } },
        { type: "result", is_error: true, result: text, usage: { input_tokens: 0, output_tokens: 0 } }
      )
    ),
  "claude's standard error": (text: string) => read("claude-stream-json", `${text}\n`),
  "codex's record": (text: string) =>
    read(
      "codex-json",
      lines(
        { type: "thread.started" },
        { type: "turn.started" },
        { type: "item.completed", item: { type: "error", message: "a server of tools did not start" } },
        { type: "error", message: text },
        { type: "turn.failed", error: { message: text } }
      )
    ),
  "codex's standard error": (text: string) => read("codex-json", `${text}\n`)
}

/** How an agent fails that has worked. */
const failures = {
  "claude, by its records": (text: string) =>
    read(
      "claude-stream-json",
      lines(
        { type: "assistant", message: { model: "a-model", content: [{ type: "text", text }] } },
        { type: "result", subtype: "error_max_turns", is_error: true }
      )
    ),
  "claude, by its result": (text: string) =>
    read("claude-stream-json", lines({ type: "result", is_error: true, result: text, usage: { output_tokens: 9 } })),
  codex: (text: string) =>
    read(
      "codex-json",
      lines(
        { type: "item.completed", item: { type: "command_execution", exit_code: 1 } },
        { type: "turn.failed", error: { message: text } }
      )
    )
}

describe("30 messages that were never seen before", () => {
  for (const [where, refused] of Object.entries(refusals)) {
    it.effect(`in ${where} use no attempt, and limit the agent once two units have them`, () =>
      Effect.gen(function* () {
        for (const message of messages) {
          yield* test(
            Effect.gen(function* () {
              const { limit, turn } = yield* setting
              const outcomes: Array<string> = []
              for (const unit of ["a", "b"])
                for (let n = 0; n < 3; n++) outcomes.push(yield* turn({ message, ...refused(message) }, { unit }))
              expect(outcomes.filter((outcome) => outcome === "attempt")).toEqual([])
              expect(yield* limit, message).toMatchObject({ kind: "unanswered" })
            })
          )
          yield* TestClock.setTime(0)
        }
      })
    )
  }

  for (const [who, failed] of Object.entries(failures)) {
    it.effect(`are attempts where the model of ${who} had answered`, () =>
      test(
        Effect.gen(function* () {
          const { limit, turn } = yield* setting
          for (const [n, message] of messages.entries())
            for (let k = 0; k < 3; k++) expect(yield* turn(failed(message), { unit: `unit-${n}` })).toBe("attempt")
          expect(yield* limit).toBeUndefined()
        })
      )
    )
  }

  it.effect("are attempts of agents whose output does not show whether their model has answered", () =>
    test(
      Effect.gen(function* () {
        const { turn } = yield* setting
        for (const format of ["text", undefined] as const)
          for (const message of messages) expect(yield* turn(read(format, message))).toBe("attempt")
      })
    )
  )
})
