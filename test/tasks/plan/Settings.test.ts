import { describe, expect, it } from "@effect/vitest"
import { Duration, Schema } from "effect"
import * as Settings from "../../../src/tasks/plan/Settings.js"

const parse = (text: string) => {
  const { problems, value } = Settings.parse("tasks/charlotte.yaml", text)
  return { problems, settings: value }
}

describe("charlotte.yaml", () => {
  it("is read with all keys", () => {
    const { problems, settings } = parse(
      "# how\nsetup: npm ci\ncopy: [.env, config/local.json]\nbaseline:\n  - npm test\n  - npm run lint\n" +
        "agent: claude\nattempts: 5\nsession: fresh\nland: done\nconflicts: agent\nlimits:\n  agentCalls: 100\n  duration: 2 hours\n" +
        "gates: { before: 5 minutes, twice: true, flaky: fail }\n"
    )
    expect(problems).toEqual([])
    expect(settings).toEqual(
      new Settings.Settings({
        setup: "npm ci",
        copy: [".env", "config/local.json"],
        baseline: ["npm test", "npm run lint"],
        agent: "claude",
        attempts: 5,
        session: "fresh",
        land: "done",
        conflicts: "agent",
        limits: new Settings.Limits({ agentCalls: 100, duration: Duration.hours(2) }),
        gates: new Settings.Gates({ before: Duration.minutes(5), twice: true, flaky: "fail" })
      })
    )
    const json = Schema.parseJson(Settings.Settings)
    expect(Schema.decodeSync(json)(Schema.encodeSync(json)(settings))).toEqual(settings)
  })

  it("may name the files that the setup depends on", () => {
    const { problems, settings } = parse("setup: { run: npm ci, inputs: [package-lock.json] }\n")
    expect(problems).toEqual([])
    expect(settings.setup).toEqual({ run: "npm ci", inputs: ["package-lock.json"] })
    for (const setup of [
      "{ inputs: [a] }",
      "{ run: a, inputs: [] }",
      "{ run: a, inputs: [../b] }",
      "{ run: a, input: [b] }"
    ])
      expect(parse(`setup: ${setup}`).problems.map(String)).toEqual([expect.stringContaining("1: setup must be")])
  })

  it("may name files and keys that are protected", () => {
    const { problems, settings } = parse(
      "protect: [test/**, package.json#scripts.test, { path: '**/conftest.py', added: refuse }]\n"
    )
    expect(problems).toEqual([])
    expect(settings.protect).toEqual([
      "test/**",
      "package.json#scripts.test",
      { path: "**/conftest.py", added: "refuse" }
    ])
    const json = Schema.parseJson(Settings.Settings)
    expect(Schema.decodeSync(json)(Schema.encodeSync(json)(settings))).toEqual(settings)
    for (const protect of [
      "test",
      "[1]",
      "[../test]",
      "[Makefile#all]",
      "['package.json#']",
      "[{ path: a, added: keep }]",
      "[{ path: 'a.json#b', added: refuse }]",
      "[{ added: refuse }]"
    ])
      expect(parse(`protect: ${protect}`).problems.map(String)).toEqual([
        expect.stringContaining("1: protect must be a list of paths such as test/**, keys of JSON files")
      ])
  })

  it("may be empty", () => {
    for (const text of ["", "# nothing\n", "setup:\nlimits: {}\n", "\uFEFF"]) {
      expect(parse(text)).toEqual({ settings: Settings.defaults, problems: [] })
    }
  })

  it("has a baseline that also runs before any work, unless that is turned off", () => {
    const baseline = (text: string) => Settings.baselineOf(parse(text).settings)
    expect(baseline("")).toEqual({ run: [], before: true })
    expect(baseline("baseline: [a, b]\n")).toEqual({ run: ["a", "b"], before: true })
    expect(baseline("baseline: { run: [a] }\n")).toEqual({ run: ["a"], before: true })
    expect(baseline("baseline: { run: [a], before: false }\n")).toEqual({ run: ["a"], before: false })
  })

  it("has every invalid value reported with its line", () => {
    const { problems } = parse(
      "setup: [a]\ncopy:\n  - ../secret\n  - /etc/passwd\n  - .git/config\nbaseline: npm test\n" +
        "agent: 1\nattempts: 0\nsession: new\nlimits:\n  duration: soon\n  agentCalls: many\nbasline: [x]\nland: all\nconflicts: ours\n"
    )
    expect(problems.map(String)).toEqual([
      'tasks/charlotte.yaml:13: has the unknown key "basline": did you mean "baseline"?',
      "tasks/charlotte.yaml:1: setup must be a shell command in quotes, or a mapping such as { run: npm ci, inputs: [package-lock.json] }",
      "tasks/charlotte.yaml:3: copy must be a path in the repository, relative to its top, without '..'",
      "tasks/charlotte.yaml:4: copy must be a path in the repository, relative to its top, without '..'",
      "tasks/charlotte.yaml:5: copy must be a path in the repository, relative to its top, without '..'",
      "tasks/charlotte.yaml:6: baseline must be a list of shell commands, or a mapping such as { run: [npm test], before: false }",
      "tasks/charlotte.yaml:7: agent must be the name of an agent, or a list of names, such as [claude, codex]",
      "tasks/charlotte.yaml:14: land must be auto, done, ask, pull-request or never",
      "tasks/charlotte.yaml:15: conflicts must be agent or fail",
      "tasks/charlotte.yaml:8: attempts must be a whole number, 1 or more",
      "tasks/charlotte.yaml:9: session must be resume or fresh",
      "tasks/charlotte.yaml:12: limits.agentCalls must be a whole number, 1 or more",
      "tasks/charlotte.yaml:11: limits.duration must be a duration with its unit, such as 30 minutes or 2 hours"
    ])
  })

  it("has invalid settings of gates reported", () => {
    expect(parse("gates:\n  before: never\n  twice: 2\n  flaky: maybe\n").problems.map(String)).toEqual([
      "tasks/charlotte.yaml:2: gates.before must be a duration with its unit, such as 30 minutes or 2 hours",
      "tasks/charlotte.yaml:3: gates.twice must be true or false",
      "tasks/charlotte.yaml:4: gates.flaky must be note or fail"
    ])
    expect(parse("gates: yes\n").problems.map(String)).toEqual([
      "tasks/charlotte.yaml:1: gates must be a mapping with these keys: before, twice, flaky"
    ])
  })

  it("limits what a job may spend, in US dollars and in tokens with a unit", () => {
    const limitsOf = (limits: string) => parse(`limits: { ${limits} }\n`).settings.limits
    expect(limitsOf("usd: 20, tokens: 5M")).toEqual(new Settings.Limits({ usd: 20, tokens: 5_000_000 }))
    expect(limitsOf("usd: 0.5, tokens: 1.5k")).toEqual(new Settings.Limits({ usd: 0.5, tokens: 1_500 }))
    expect(limitsOf("tokens: 250000")).toEqual(new Settings.Limits({ tokens: 250_000 }))
    const json = Schema.parseJson(Settings.Limits)
    const limits = limitsOf("usd: 20, tokens: 5M")
    expect(Schema.decodeSync(json)(Schema.encodeSync(json)(limits))).toEqual(limits)
    for (const [wrong, key] of [
      ["usd: 0", "usd must be an amount in US dollars"],
      ["usd: -1", "usd must be an amount in US dollars"],
      ["usd: much", "usd must be an amount in US dollars"],
      ["tokens: 0", "tokens must be a number of tokens"],
      ["tokens: 5G", "tokens must be a number of tokens"],
      ["tokens: -5", "tokens must be a number of tokens"]
    ])
      expect(parse(`limits: { ${wrong} }\n`).problems.map(String), wrong).toEqual([
        expect.stringContaining(`limits.${key}`)
      ])
  })

  it("rejects unknown limits", () => {
    expect(parse("limits:\n  calls: 3\n").problems.map(String)).toEqual([
      'tasks/charlotte.yaml:2: has the unknown key "calls" in limits: expected one of agentCalls, duration, answer, usd, tokens'
    ])
    expect(parse("limits: 3\n").problems.map(String)).toEqual([
      "tasks/charlotte.yaml:1: limits must be a mapping with these keys: agentCalls, duration, answer, usd, tokens"
    ])
  })
})
