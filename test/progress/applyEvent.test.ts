import { describe, expect, it } from "@effect/vitest"
import { applyEvent, ofEvents } from "../../src/progress/applyEvent.js"
import { ofRecord } from "../../src/progress/applyPlan.js"
import { countTasks, findTask, stateOf, timesOf, worked } from "../../src/progress/JobModel.js"
import { at, attempt, events, plan, type Spec } from "../web/job/events.js"

describe("the model of a job, from its events", () => {
  it("has the units and tasks of the plan, with what is complete already as skipped", () => {
    const units = [
      ...plan({ api: [], web: ["api"] }).units,
      { id: "done", dependsOn: [], tasks: [{ number: 1, title: "Old", status: "complete", dependsOn: [] }] }
    ]
    const model = ofEvents(events([0, "job.started", { attempt: 1 }], [1, "orch.started", { ...plan({}), units }]))
    expect([...model.units.values()].map(({ dependsOn, id, state }) => [id, dependsOn, state])).toEqual([
      ["api", [], "pending"],
      ["web", ["api"], "pending"],
      ["done", [], "skipped"]
    ])
    expect(countTasks(model)).toEqual({
      pending: 2,
      running: 0,
      completed: 0,
      failed: 0,
      skipped: 1,
      waiting: 0,
      interrupted: 0
    })
  })

  it("has the time of its first begin, and how long its attempts were at work", () => {
    const model = ofEvents(
      events(
        [0, "job.queued", { waitsFor: "permit" }],
        [5, "job.started", { attempt: 1 }],
        [7, "job.parked", { reason: "waits for a child", children: 1 }],
        [60, "job.resumed", { attempt: 2 }]
      )
    )
    expect(timesOf(model, at(63))).toEqual({ from: at(5), worked: 5_000 })
    expect(timesOf(ofEvents(events([0, "job.queued", { waitsFor: "permit" }])), at(9))).toBeUndefined()
  })

  it("has each attempt with its agent and its gate, and the logs of both", () => {
    const model = ofEvents(
      events(
        [0, "job.started", { attempt: 1 }],
        [0, "orch.started", plan({ api: [] })],
        [1, "unit.started", {}, "api"],
        ...attempt(2, 1, "api", false),
        [10, "task.retry", { attempt: 1, reason: "the gate exited with 1", pause: 2000 }, "api", 1],
        ...attempt(12, 2, "api", true),
        [20, "task.committed", { commit: "abc" }, "api", 1],
        [20, "task.completed", { attempt: 2, commit: "abc" }, "api", 1],
        [21, "unit.completed", {}, "api"],
        [22, "unit.merged", { commit: "abc", fastForward: true }, "api"]
      )
    )
    const task = findTask(model, "api", 1)
    expect(task).toMatchObject({ state: "completed", commit: "abc", reason: "the gate exited with 1" })
    expect(task?.attempts).toMatchObject([
      {
        number: 1,
        from: at(2),
        to: at(10),
        state: "failed",
        reason: "the gate exited with 1",
        spans: [
          { kind: "agent", from: at(2), to: at(7), state: "passed", log: { file: "/logs/api.1.agent.log", to: 10 } },
          { kind: "gate", label: "npm test", state: "failed", reason: "exited with 1" }
        ]
      },
      { number: 2, from: at(12), to: at(20), state: "passed" }
    ])
    expect(task?.pauses).toMatchObject([{ from: at(10), to: at(12), state: "passed" }])
    expect(model.units.get("api")).toMatchObject({ state: "merged", from: at(1), to: at(22) })
  })

  it("ends what was going on when the job parks, and has the park as a phase", () => {
    const model = ofEvents(
      events(
        [0, "job.started", { attempt: 1 }],
        [0, "orch.started", plan({ api: [] })],
        ...attempt(1, 1, "api", true).slice(0, 2),
        [3, "job.parked", { reason: "claude is at its usage limit" }],
        [60, "job.resumed", { attempt: 2 }],
        ...attempt(61, 1, "api", true).slice(0, 2)
      )
    )
    expect(model.phases).toMatchObject([
      { kind: "running", from: at(0), to: at(3), attempt: 1 },
      { kind: "parked", from: at(3), to: at(60), reason: "claude is at its usage limit" },
      { kind: "running", from: at(60), to: undefined, attempt: 2 }
    ])
    const attempts = findTask(model, "api", 1)?.attempts
    expect(attempts).toMatchObject([
      { state: "cut", to: at(3), jobAttempt: 1, spans: [{ state: "cut", to: at(3) }] },
      { state: "running", to: undefined, jobAttempt: 2 }
    ])
  })

  it("ends a crashed attempt with the last event before the crash, not with the restart that recorded it", () => {
    const model = ofEvents(
      events(
        [0, "job.started", { attempt: 1 }],
        ...attempt(1, 1, "api", true).slice(0, 2),
        [500, "job.interrupted", { reason: "crash" }],
        [501, "job.resumed", { attempt: 2 }]
      )
    )
    expect(model.phases.map(({ from, kind, to }) => [kind, from, to])).toEqual([
      ["running", at(0), at(1)],
      ["crashed", at(1), at(501)],
      ["running", at(501), undefined]
    ])
    expect(findTask(model, "api", 1)?.attempts).toMatchObject([{ state: "cut", to: at(1) }])
  })

  it("ignores what a reconnect repeats", () => {
    const all = events([0, "job.started", { attempt: 1 }], ...attempt(1, 1, "api", true))
    expect(ofEvents([...all, ...all, ...all.slice(2)])).toEqual(ofEvents(all))
  })

  it("takes any payload: custom orchestrators emit what they like under any type", () => {
    const hostile = [null, 7, "text", [], { attempt: "x", log: 7, units: [7, { id: 3 }], dependsOn: "y" }]
    const types = [
      "orch.started",
      "unit.blocked",
      "task.started",
      "task.agent.started",
      "task.gate.failed",
      "task.retry"
    ]
    const specs = types.flatMap((type) => hostile.map((payload) => [1, type, payload, "__proto__", 1] as const))
    const model = ofEvents(events(...specs, [2, "job.parked", 7], [3, "job.resumed", null]))
    expect([...model.units.keys()]).toEqual(["__proto__"])
    expect(model.phases.map(({ kind }) => kind)).toEqual(["parked", "running"])
  })

  it("has nothing that is running once the job has parked, or was interrupted or stopped, until it goes on", () => {
    const begun = [
      [0, "job.started", { attempt: 1 }],
      [0, "orch.started", plan({ api: [] })],
      [1, "unit.started", {}, "api"],
      ...attempt(2, 1, "api", true).slice(0, 2)
    ] as const
    const shown = (...more: ReadonlyArray<Spec>) => {
      const model = ofEvents(events(...begun, ...more))
      return [model.units.get("api")?.state, findTask(model, "api", 1)?.state]
    }
    expect(shown()).toEqual(["running", "running"])
    expect(shown([9, "job.parked", { reason: "limit" }])).toEqual(["waiting", "waiting"])
    for (const type of ["job.interrupted", "job.cancelled", "job.failed"])
      expect(shown([9, type])).toEqual(["interrupted", "interrupted"])
    const again = [
      [9, "job.parked", { reason: "limit" }],
      [10, "job.resumed", { attempt: 2 }],
      [11, "orch.started", plan({ api: [] })]
    ] as const
    expect(shown(...again)).toEqual(["pending", "pending"])
    expect(shown(...again, [12, "unit.started", {}, "api"], ...attempt(13, 1, "api", true).slice(0, 2))).toEqual([
      "running",
      "running"
    ])
  })

  it("has no task at work whose unit waits for its agent, or that pauses before its next attempt", () => {
    const begun = [
      [0, "job.started", { attempt: 1 }],
      [0, "orch.started", plan({ api: [] })],
      [1, "unit.started", {}, "api"],
      ...attempt(2, 1, "api", true).slice(0, 3)
    ] as const
    const until = new Date(at(900)).toISOString()
    const reason = "claude does not reach its service"
    const model = ofEvents(events(...begun, [8, "unit.waiting", { reason, until, tentative: true }, "api"]))
    const unit = model.units.get("api")
    expect(unit).toMatchObject({ waitsFor: { until: at(900), tentative: true } })
    expect(unit && stateOf(unit)).toBe("waiting")
    expect(findTask(model, "api", 1)).toMatchObject({ state: "waiting", attempts: [{ state: "cut", to: at(8) }] })
    applyEvent(model, { seq: 9, at: at(9), type: "job.cancelled" })
    expect([unit?.state, findTask(model, "api", 1)?.state]).toEqual(["interrupted", "interrupted"])

    const pause: Spec = [
      8,
      "task.retry",
      { class: "network", attempt: 1, reason: "no network", pause: 5_000 },
      "api",
      1
    ]
    const paused = ofEvents(events(...begun, pause))
    expect(findTask(paused, "api", 1)).toMatchObject({ state: "waiting", pauses: [{ from: at(8), to: undefined }] })
    expect([...paused.units.values()].map(stateOf)).toEqual(["waiting"])
    const again = ofEvents(events(...begun, pause, ...attempt(13, 1, "api", true).slice(0, 2)))
    const task = findTask(again, "api", 1)
    expect(task).toMatchObject({ state: "running", attempts: [{}, { state: "running" }] })
    // Worked on from the second second to the eighth, and from the thirteenth to now.
    expect(task && worked(task, at(20))).toBe(13_000)
  })

  it("is over after the last event", () => {
    const model = ofEvents(events([0, "job.started", { attempt: 1 }], [9, "job.cancelled"]))
    expect(model).toMatchObject({ status: "cancelled", phases: [{ kind: "running", to: at(9) }] })
  })

  it("can be made of the record until its events have arrived", () => {
    const model = ofRecord({
      attempt: 2,
      units: [{ unit: "api", dependsOn: [], state: "failed", reason: "task 1 failed" }],
      tasks: [
        {
          unit: "api",
          task: 1,
          title: "Do",
          state: "failed",
          reason: "gate",
          notes: ["moved", { _tag: "greenBefore" }]
        }
      ]
    })
    expect(model.units.get("api")).toMatchObject({ state: "failed", reason: "task 1 failed" })
    expect(findTask(model, "api", 1)).toMatchObject({
      title: "Do",
      state: "failed",
      notes: [{ tag: "greenBefore" }, { tag: undefined, text: "moved" }]
    })
  })

  it("has the question that a unit still asks", () => {
    const asked = { unit: "api", task: 1 }
    const { units } = ofRecord({
      attempt: 1,
      units: [
        { unit: "api", dependsOn: [], state: "needs-answer" },
        { unit: "web", dependsOn: [], state: "needs-answer" }
      ],
      tasks: [],
      questions: [
        { ...asked, question: "Which name?", answer: "Ada" },
        { ...asked, question: "Which port?" },
        { ...asked, question: "Which host?", answer: "::1" }
      ]
    })
    expect([...units.values()].map(({ question }) => question)).toEqual(["Which port?", undefined])
  })
})
