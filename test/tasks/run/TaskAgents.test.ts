import { describe, expect, it } from "@effect/vitest"
import { RunStore } from "charlotte"
import { Agents } from "charlotte/tasks"
import { DateTime, Effect, Fiber, Ref, TestClock } from "effect"
import type { JobId } from "../../../src/domain/JobId.js"
import type { TurnEnd } from "../../../src/tasks/agents/TurnEnd.js"
import { AgentChoice } from "../../../src/tasks/plan/AgentChoice.js"
import { Task } from "../../../src/tasks/plan/Plan.js"
import * as AgentGate from "../../../src/tasks/run/AgentGate.js"
import * as AgentWait from "../../../src/tasks/run/AgentWait.js"
import * as TaskAgents from "../../../src/tasks/run/TaskAgents.js"
import { created, id } from "../../store/runs.js"

const task = (number: number, agents: ReadonlyArray<string>) =>
  new Task(
    {
      number,
      title: "",
      status: "pending",
      backpressure: "true",
      dependsOn: [],
      agents: agents.map((agent) => new AgentChoice({ agent })),
      file: "",
      prompt: "",
      scripts: [],
      sha256: ""
    },
    { disableValidation: true }
  )

const list = ["claude", "codex"]
const [one, two] = [task(1, list), task(2, list)]

const profile = (name: string, concurrency?: number) =>
  new Agents.Profile({ name, command: ["sh"], prompt: "stdin", env: [], concurrency })

/** The agents of jobs, by their numbers and priorities; `turn` returns the agent of a turn, or why none could begin. */
const scene = (concurrency?: number) =>
  Effect.gen(function* () {
    const agents = yield* Agents.make({
      profiles: list.map((name) => profile(name, concurrency)),
      gates: { env: [] },
      file: ""
    })
    const shared = yield* TaskAgents.make(yield* AgentGate.make(yield* RunStore.RunStore))
    const notes = yield* Ref.make<ReadonlyArray<string>>([])
    const note = (text: string) => Ref.update(notes, (all) => [...all, text])
    const observer: TaskAgents.Observer = {
      waiting: (reason) => (take) => Effect.zipRight(note(`waits ${reason}`), take),
      changed: (name, cause) => note(`${name} continues: ${AgentWait.of(cause).reason}`)
    }
    const ofJob = (jobId: JobId, { isResumed = false, last = "", priority = 0 } = {}) =>
      shared.ofJob({
        job: { id: jobId, attempt: 1 },
        tasks: [one, two],
        agentsOf: ({ agents }) => agents,
        lastOf: () => last,
        agents,
        priority,
        isResumed
      })
    return { notes: Ref.get(notes), observer, ofJob }
  })

/** How the turns of each agent end; `done` unless set. */
type Ends = { [agent: string]: TurnEnd }

const runWith = (turns: TaskAgents.TurnsOfTask, ends: Ends = {}) =>
  turns
    .run(({ name }) => Effect.succeed({ value: name, end: ends[name] ?? { class: "done" } }))
    .pipe(
      Effect.map(({ value }) => value),
      Effect.catchTag("AgentsUnavailable", ({ causes }) => Effect.succeed(causes.map(({ _tag }) => _tag)))
    )

const limited = (minutes: number): TurnEnd => ({
  class: "usageLimit",
  message: "no",
  resetsAt: DateTime.unsafeMake(minutes * 60_000)
})
const tooLong: TurnEnd = { class: "failed", answered: false, message: "Prompt is too long", isTooLong: true }
const unanswered: TurnEnd = { class: "unanswered", answered: false, message: "no" }
const unauthorized: TurnEnd = { class: "auth", message: "log in" }

const test = <A, E>(body: Effect.Effect<A, E, RunStore.RunStore>) =>
  Effect.provide(Effect.scoped(Effect.zipRight(created(1), body)), RunStore.layerMemory)

describe("the list of agents of a task", () => {
  it.effect("goes to the next at a limit and stays there, and the next task begins at its head again", () =>
    test(
      Effect.gen(function* () {
        const { notes, observer, ofJob } = yield* scene()
        const job = yield* ofJob(id(1))
        const turns = job.turns("u", one, observer)
        expect(yield* runWith(turns)).toBe("claude")
        expect(yield* runWith(turns, { claude: limited(60) })).toBe("codex")
        expect(yield* notes).toEqual(["codex continues: claude is at its usage limit: no"])
        // A task that begins meanwhile does so with the next, which is no change.
        expect(yield* runWith(job.turns("u", two, observer))).toBe("codex")
        yield* TestClock.adjust("1 hour")
        expect(yield* runWith(turns)).toBe("codex")
        expect(yield* runWith(job.turns("u", two, observer))).toBe("claude")
        expect(yield* notes).toHaveLength(1)
      })
    )
  )

  it.effect("keeps its agent while the network is down, also in an outage and while one turn probes it", () =>
    test(
      Effect.gen(function* () {
        const { observer, ofJob } = yield* scene()
        const job = yield* ofJob(id(1))
        const turns = job.turns("u", one, observer)
        const unreachable = { claude: { class: "network", answered: false } } as const
        for (let turn = 1; turn < 7; turn++) expect(yield* runWith(turns, unreachable)).toBe("claude")
        expect(yield* runWith(turns, unreachable)).toEqual(["AgentLimited"])
        expect(yield* runWith(turns)).toEqual(["AgentLimited"])
        expect(yield* runWith(job.turns("u", two, observer))).toEqual(["AgentLimited"])
        yield* TestClock.adjust("15 minutes")
        const release = yield* Effect.makeLatch()
        const probe = yield* Effect.fork(
          turns.run(({ name }) => Effect.as(release.await, { value: name, end: { class: "done" } as const }))
        )
        yield* TestClock.adjust(0)
        expect(yield* runWith(job.turns("u", two, observer))).toEqual(["AgentProbed"])
        yield* release.open
        expect(yield* Fiber.join(probe)).toMatchObject({ value: "claude" })
        expect(yield* runWith(job.turns("u", two, observer))).toBe("claude")
      })
    )
  )

  it.effect("goes to the next once three turns in a row were not answered", () =>
    test(
      Effect.gen(function* () {
        const { notes, observer, ofJob } = yield* scene()
        const turns = (yield* ofJob(id(1))).turns("u", one, observer)
        const unanswered = { claude: { class: "unanswered", answered: false, message: "odd" } } as const
        const by = yield* Effect.replicateEffect(runWith(turns, unanswered), 4)
        expect(by).toEqual(["claude", "claude", "codex", "codex"])
        expect(yield* notes).toEqual([
          "codex continues: claude got no answer from its model 3 times in a row: odd; no attempt used"
        ])
      })
    )
  )

  it.effect("is continued by the agent of the last session, until that is unavailable", () =>
    test(
      Effect.gen(function* () {
        const { notes, observer, ofJob } = yield* scene()
        const job = yield* ofJob(id(1), { last: "codex" })
        expect(yield* runWith(job.turns("u", one, observer))).toBe("codex")
        expect(yield* runWith(job.turns("u", one, observer), { codex: limited(60) })).toBe("claude")
        expect(yield* notes).toEqual(["claude continues: codex is at its usage limit: no"])
        // An agent that the plan does not name any more.
        const other = yield* ofJob(id(1), { last: "other" })
        expect(yield* runWith(other.turns("u", one, observer))).toBe("claude")
      })
    )
  )

  it.effect("is unavailable only while all are, each for its reason, and no turn begins then", () =>
    test(
      Effect.gen(function* () {
        const { observer, ofJob } = yield* scene()
        const job = yield* ofJob(id(1))
        const turns = job.turns("u", one, observer)
        expect(yield* runWith(turns, { claude: unauthorized, codex: limited(60) })).toEqual([
          "AgentUnauthorized",
          "AgentLimited"
        ])
        const check = Effect.flip(job.check("u", two))
        expect(yield* Effect.map(check, (error) => error._tag === "AgentsUnavailable" && error.causes.length)).toBe(2)
        yield* TestClock.adjust("1 hour")
        yield* job.check("u", two)
        expect(yield* runWith(turns)).toBe("codex")
        const resumed = yield* ofJob(id(1), { isResumed: true })
        expect(yield* runWith(resumed.turns("u", one, observer))).toBe("claude")
      })
    )
  )

  it.effect("tries an agent no more at a task whose prompt is too long for it", () =>
    test(
      Effect.gen(function* () {
        const { notes, observer, ofJob } = yield* scene()
        const job = yield* ofJob(id(1))
        const turns = job.turns("u", one, observer)
        expect(yield* runWith(turns, { claude: tooLong })).toBe("codex")
        expect(yield* notes).toEqual(["codex continues: the prompt is too long for claude: Prompt is too long"])
        expect(yield* runWith(job.turns("u", two, observer))).toBe("claude")
        expect(yield* runWith(turns, { codex: limited(60) })).toEqual(["AgentLimited", "PromptTooLong"])
        // A session that has become too long is another case.
        const lost = { claude: { ...tooLong, isSessionLost: true } }
        expect(yield* runWith(job.turns("u", two, observer), lost)).toBe("claude")
      })
    )
  )

  it.effect("goes to the next after two attempts without an answer, which the agent gives to others", () =>
    test(
      Effect.gen(function* () {
        const { observer, ofJob } = yield* scene()
        const job = yield* ofJob(id(1))
        const turns = job.turns("u", one, observer)
        const begun = [yield* runWith(turns, { claude: unanswered }), yield* runWith(turns, { claude: unanswered })]
        expect(begun).toEqual(["claude", "claude"])
        expect(yield* runWith(turns, { claude: unanswered, codex: limited(1) })).toEqual([
          "TaskUnanswered",
          "AgentLimited"
        ])
        expect(yield* runWith(job.turns("u", two, observer))).toBe("claude")
        yield* TestClock.adjust("5 minutes")
        expect(yield* runWith(turns, { claude: unanswered })).toBe("claude")
        expect(yield* runWith(turns, { claude: unanswered })).toBe("claude")
        expect(yield* runWith(turns, { claude: unanswered })).toBe("codex")
      })
    )
  )
})

describe("the concurrency of an agent", () => {
  it.effect("holds for the units of all jobs, which take turns by priority, then by id", () =>
    test(
      Effect.gen(function* () {
        const { notes, observer, ofJob } = yield* scene(4)
        const atWork = yield* Ref.make(0)
        const most = yield* Ref.make(0)
        const order = yield* Ref.make<ReadonlyArray<number>>([])
        const start = (number: number, priority: number) =>
          Effect.gen(function* () {
            const job = yield* ofJob(id(number), { priority })
            const turn = Effect.gen(function* () {
              yield* Ref.update(order, (all) => [...all, number])
              const now = yield* Ref.updateAndGet(atWork, (count) => count + 1)
              yield* Ref.update(most, (most) => Math.max(most, now))
              yield* Effect.sleep("10 minutes")
              yield* Ref.update(atWork, (count) => count - 1)
              return { value: undefined, end: { class: "done" } as const }
            })
            return yield* Effect.replicateEffect(Effect.fork(job.turns("u", one, observer).run(() => turn)), 4)
          })
        // Of the last five jobs, those with even numbers have a higher priority.
        const fibers = yield* Effect.forEach([1, 10, 9, 8, 7, 6, 5, 4, 3, 2], (number) =>
          start(number, number > 5 && number % 2 === 0 ? 1 : 0)
        )
        yield* TestClock.adjust("100 minutes")
        yield* Effect.forEach(fibers.flat(), Fiber.join)
        expect(yield* Ref.get(most)).toBe(4)
        const jobs = (yield* Ref.get(order)).filter((_, index) => index % 4 === 0)
        expect(jobs).toEqual([1, 6, 8, 10, 2, 3, 4, 5, 7, 9])
        expect(new Set(yield* notes)).toEqual(new Set(["waits for a turn of claude, 4 of 4 at work"]))
      })
    )
  )

  it.effect("lets no turn of an agent wait that is at its limit: the next in the list begins at once", () =>
    test(
      Effect.gen(function* () {
        const { observer, ofJob } = yield* scene(1)
        const job = yield* ofJob(id(1))
        const release = yield* Effect.makeLatch()
        const busy = yield* Effect.fork(
          job
            .turns("u", one, observer)
            .run(({ name }) =>
              name === "codex"
                ? Effect.succeed({ value: name, end: { class: "done" } })
                : Effect.as(release.await, { value: name, end: limited(60) })
            )
        )
        yield* TestClock.adjust(0)
        const waiting = yield* Effect.fork(runWith(job.turns("u", two, observer)))
        yield* TestClock.adjust(0)
        expect(yield* Fiber.poll(waiting)).toMatchObject({ _tag: "None" })
        yield* release.open
        expect(yield* Fiber.join(busy)).toMatchObject({ value: "codex" })
        expect(yield* Fiber.join(waiting)).toBe("codex")
      })
    )
  )
})
