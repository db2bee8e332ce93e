import { describe, expect, it } from "@effect/vitest"
import * as AgentChoice from "../../../src/tasks/plan/AgentChoice.js"

const level = (file: string, agents: ReadonlyArray<string>, model?: string): AgentChoice.Level => ({
  file,
  agents: agents.map((name) => ({ name, line: 2 })),
  ...(model !== undefined && { model: { name: model, line: 3 } })
})

/** The agents for a task, such as `claude opus`, from the levels `task`, `unit` and `charlotte.yaml`. */
const chosen = (levels: ReadonlyArray<AgentChoice.Level>, ofJob?: string) =>
  AgentChoice.resolve(levels, ofJob).map(({ choice: { agent, model } }) => [agent, model].filter(Boolean).join(" "))

describe("the agents for a task", () => {
  it("are those of the job, else of the task, else of its unit, else of charlotte.yaml", () => {
    const [task, unit, settings] = [level("t", ["a", "b"]), level("u", ["c"]), level("s", ["d"])]
    const none = level("n", [])
    expect(chosen([task, unit, settings], "x")).toEqual(["x"])
    expect(chosen([task, unit, settings])).toEqual(["a", "b"])
    expect(chosen([none, unit, settings])).toEqual(["c"])
    expect(chosen([none, none, settings])).toEqual(["d"])
    expect(chosen([none, none, none])).toEqual([])
  })

  it("are each tried once, in the order of the list", () => {
    expect(chosen([level("t", ["b", "a", "b"])])).toEqual(["b", "a"])
  })

  it("have the model that is named with them or below them, and none that is for other agents", () => {
    const settings = level("s", ["claude", "codex"], "opus")
    expect(chosen([level("t", []), settings])).toEqual(["claude opus", "codex opus"])
    expect(chosen([level("t", [], "haiku"), settings])).toEqual(["claude haiku", "codex haiku"])
    expect(chosen([level("t", ["codex"]), settings])).toEqual(["codex opus"])
    expect(chosen([level("t", ["other"]), settings])).toEqual(["other"])
    expect(chosen([level("t", ["other"], "big"), settings], "claude")).toEqual(["claude opus"])
    expect(chosen([level("t", ["other"], "big"), settings], "script")).toEqual(["script"])
    expect(chosen([level("t", []), level("s", [], "opus")], "claude")).toEqual(["claude opus"])
  })

  it("have the positions at which the files name them, and none where the job does", () => {
    const levels = [level("t", [], "haiku"), level("s", ["claude"])]
    const modelAt = { file: "t", line: 3 }
    expect(AgentChoice.resolve(levels, undefined)).toMatchObject([{ agentAt: { file: "s", line: 2 }, modelAt }])
    const [ofJob] = AgentChoice.resolve(levels, "claude")
    expect(ofJob).toMatchObject({ modelAt })
    expect(ofJob).not.toHaveProperty("agentAt")
  })
})
