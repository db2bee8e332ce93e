/** Agents and gates in a configuration file. */
import { describe, expect, it } from "@effect/vitest"
import { Duration, Schema } from "effect"
import { presets, Profile } from "../../../src/tasks/Agents.js"
import * as Profiles from "../../../src/tasks/agents/Profiles.js"
import { decodeYaml } from "../../../src/yaml/decodeYaml.js"
import { mapping } from "../../../src/yaml/fields.js"

const read = (text: string) => {
  const file = decodeYaml(mapping(Profiles.fields), { file: "config.yaml", source: text })
  return { ...Profiles.read(file), problems: file.problems.map((problem) => String(problem).slice(12)) }
}

const one = (text: string, name: string) => {
  const { problems, profiles } = read(text)
  expect(problems).toEqual([])
  return profiles.find((profile) => profile.name === name)
}

const problems = (text: string) => read(text).problems

describe("a profile", () => {
  it("configures command, prompt, environment and limits", () => {
    const text =
      "agents:\n  mine:\n    command: [my-agent, --task, '{prompt}']\n    prompt: file\n    format: codex-json\n    env: [MY_KEY, HTTPS_PROXY]\n" +
      "    timeout: 90 minutes\n    silence: 5 minutes\n"
    const profile = one(text, "mine")
    expect(profile).toEqual(
      new Profile({
        name: "mine",
        command: ["my-agent", "--task", "{prompt}"],
        prompt: "file",
        format: "codex-json",
        env: ["MY_KEY", "HTTPS_PROXY"],
        timeout: Duration.minutes(90),
        silence: Duration.minutes(5)
      })
    )
    const json = Schema.parseJson(Profile)
    expect(profile && Schema.decodeSync(json)(Schema.encodeSync(json)(profile))).toEqual(profile)
  })

  it("needs only a command", () => {
    expect(one("agents: { mine: { command: [/opt/agent] } }", "mine")).toEqual(
      new Profile({
        name: "mine",
        command: ["/opt/agent"],
        prompt: "stdin",
        format: "text",
        env: [],
        timeout: Duration.hours(1)
      })
    )
  })

  it("overrides the preset of the same name field by field", () => {
    const preset = presets.find(({ name }) => name === "claude")
    expect(one("agents:\n  claude:\n", "claude")).toEqual(preset)
    const changed = one("agents:\n  claude:\n    timeout: 2 hours\n    env: [ANTHROPIC_API_KEY]\n", "claude")
    expect(changed).toEqual(
      preset && new Profile({ ...preset, timeout: Duration.hours(2), env: ["ANTHROPIC_API_KEY"] })
    )
    const other = one("agents:\n  claude: { command: [claude, -p, --model, opus] }\n", "claude")
    expect(other).toMatchObject({ command: ["claude", "-p", "--model", "opus"], prompt: "stdin", env: preset?.env })
    const text = one("agents:\n  claude: { command: [claude, -p], format: text }\n", "claude")
    // The preset's own way to resume a session fits only its own command.
    expect([changed?.resume, other?.resume]).toEqual([preset?.resume, undefined])
    expect([preset?.format, other?.format, text?.format]).toEqual(["claude-stream-json", "claude-stream-json", "text"])
  })

  it("says what tokens cost", () => {
    const text = (prices: string) => `agents:\n  codex: { prices: ${prices} }\n`
    expect(one(text("{ input: 1.25, cached: 0.125, output: 10 }"), "codex")).toMatchObject({
      prices: { input: 1.25, cached: 0.125, output: 10 }
    })
    for (const wrong of [
      "1.25",
      "{ input: 1 }",
      "{ input: 1, cached: -1, output: 1 }",
      "{ input: .inf, cached: 1, output: 1 }"
    ])
      expect(problems(text(wrong)).map(String), wrong).toEqual([
        expect.stringContaining("must be a mapping such as { input: 1.25, cached: 0.125, output: 10 }")
      ])
  })

  it("says what the agent prints when it is refused", () => {
    const text = (limits: string) => `agents:\n  mine: { command: [mine], limits: ${limits} }\n`
    const limit = { class: "usageLimit", pattern: "back (?<reset>.+)" }
    expect(one(text("[{ class: usageLimit, pattern: 'back (?<reset>.+)' }]"), "mine")).toMatchObject({
      limits: [limit]
    })
    for (const wrong of ["[{ class: usageLimit }]", "[{ class: done, pattern: x }]", "[{ class: auth, pattern: '(' }]"])
      expect(problems(text(wrong)).map(String), wrong).toEqual([
        expect.stringContaining("must be a mapping such as { class: usageLimit, pattern: ")
      ])
    expect(problems(text("x")).map(String)).toEqual([
      expect.stringContaining("must be a list of mappings with a class")
    ])
  })

  it("begins the command lines of agent and gates with its wrap, in which bubblewrap ends with Charlotte", () => {
    const wrap = "[bwrap, --die-with-parent, --ro-bind, /, /]"
    expect(one(`agents: { claude: { wrap: ${wrap} } }`, "claude")).toMatchObject({
      wrap: ["bwrap", "--die-with-parent", "--ro-bind", "/", "/"],
      command: presets[0]?.command,
      resume: presets[0]?.resume
    })
    expect(problems("agents: { claude: { wrap: [/usr/bin/bwrap, --ro-bind, /, /] } }")).toEqual([
      expect.stringContaining("agents.claude.wrap has no --die-with-parent: add it after /usr/bin/bwrap")
    ])
  })

  it("says how a model is chosen and how many turns run at once, by default only for the presets", () => {
    const text = "agents:\n  mine: { command: [mine], model: [-m, '{model}'], concurrency: 2 }\n"
    expect(one(text, "mine")).toMatchObject({ model: ["-m", "{model}"], concurrency: 2 })
    const plain = one("agents: { mine: { command: [mine] } }", "mine")
    expect([plain?.model, plain?.concurrency]).toEqual([undefined, undefined])
    expect(presets.map(({ concurrency }) => concurrency)).toEqual([4, 4])
    // The words of a preset fit its own command only.
    const wrapped = one("agents: { claude: { command: [my-claude] } }", "claude")
    expect([wrapped?.model, wrapped?.concurrency]).toEqual([undefined, 4])
    expect(problems("agents:\n  claude: { model: [--model], concurrency: 0 }\n").map(String)).toEqual([
      expect.stringContaining('agents.claude.model must be a list of words with {model}, such as [--model, "{model}"]'),
      expect.stringContaining("agents.claude.concurrency must be a whole number, 1 or more")
    ])
  })

  it("is added to the presets", () => {
    expect(read("").profiles).toEqual(presets)
    expect(
      read("agents: { b: { command: [b] }, a: { command: [a] } }")
        .profiles.map(({ name }) => name)
        .sort()
    ).toEqual(["a", "b", "claude", "codex"])
  })

  it("has every invalid value reported with its line", () => {
    expect(
      problems(
        "agents:\n  a:\n    command: claude -p\n    prompt: arg\n    format: json\n    env:\n      - OK\n      - NO=1\n      - CHARLOTTE_HOME\n" +
          "      - GIT_DIR\n    timeout: 60\n    silence: never\n  b: { command: [] }\n  c: { command: [x, 1] }\n"
      )
    ).toEqual([
      "3: agents.a.command must be a list of words, such as [claude, -p], that begins with a command on the PATH or an absolute path",
      "4: agents.a.prompt must be stdin, file or argument",
      "5: agents.a.format must be claude-stream-json, codex-json or text",
      "8: agents.a.env must be the name of an environment variable, without a value; CHARLOTTE_* and GIT_* are not passed on",
      "9: agents.a.env must be the name of an environment variable, without a value; CHARLOTTE_* and GIT_* are not passed on",
      "10: agents.a.env must be the name of an environment variable, without a value; CHARLOTTE_* and GIT_* are not passed on",
      "11: agents.a.timeout must be a duration with its unit, such as 30 minutes or 2 hours",
      "12: agents.a.silence must be a duration with its unit, such as 30 minutes or 2 hours",
      "13: agents.b.command must be a list of words, such as [claude, -p], that begins with a command on the PATH or an absolute path",
      "14: agents.c.command must be a list of words, such as [claude, -p], that begins with a command on the PATH or an absolute path"
    ])
  })

  it("resumes sessions with a whole command, in a format that names them", () => {
    const text = "agents: { a: { command: [a], resume: [a, --resume, '{session}'], format: codex-json } }"
    expect(one(text, "a")?.resume).toEqual(["a", "--resume", "{session}"])
    expect(
      problems(
        "agents:\n  a:\n    command: [a]\n    resume: [a, '--resume={session}', '{prompt}']\n  b:\n    command: [b]\n    resume: [./b, '{session}']\n"
      )
    ).toEqual([
      "7: agents.b.resume must be a list of words, such as [claude, -p], that begins with a command on the PATH or an absolute path",
      "4: agents.a.resume has {prompt}, but the prompt goes to stdin: set prompt to file or argument",
      "4: agents.a.resume does not have the word {session}, which becomes the session",
      "4: agents.a sets resume, but text names no session: set format to claude-stream-json or codex-json"
    ])
  })

  it("rejects commands inside the repository", () => {
    for (const command of ["./agent", "bin/agent", "~/agent", "", "../agent", "~"]) {
      expect(problems(`agents: { a: { command: ['${command}'] } }`)).toEqual([
        expect.stringContaining("a command on the PATH or an absolute path")
      ])
    }
  })

  it("rejects unknown keys", () => {
    expect(problems("agents:\n  claude:\n    comand: [x]\n    environment: [A]\n  codex: fast\n")).toEqual([
      '3: has the unknown key "comand" in agents.claude: did you mean "command"?',
      '4: has the unknown key "environment" in agents.claude: expected one of command, resume, model, prompt, format, wrap, env, timeout, silence, concurrency and 2 more',
      "5: agents.codex must be a mapping with these keys: command, resume, model, prompt, format, wrap, env, timeout, silence, concurrency, prices, limits"
    ])
  })

  it("rejects invalid, reserved and duplicate names", () => {
    expect(
      problems("agents:\n  script: { command: [sh] }\n  -a: { command: [a] }\n  'a b': { command: [a] }\n")
    ).toEqual([
      '2: has an agent "script", which is a built-in name: choose another name',
      "3: has an agent \"-a\", whose name must be a name of at most 64 letters, digits, '.', '_' and '-', beginning with a letter or a digit",
      "4: has an agent \"a b\", whose name must be a name of at most 64 letters, digits, '.', '_' and '-', beginning with a letter or a digit"
    ])
    expect(problems("agents:\n  a: { command: [a] }\n  a: { command: [b] }\n")).toEqual([
      "3: has this key twice: keep one of them"
    ])
  })

  it("rejects a command that does not match its prompt setting", () => {
    expect(
      problems(
        "agents:\n  codex: { prompt: file }\n  a: { command: [a, '{prompt}'] }\n" +
          "  b: { command: [b, '--file={prompt}'], prompt: file }\n  c: {}\n"
      )
    ).toEqual([
      "2: agents.codex sets prompt, but no command: set both",
      "3: agents.a.command has {prompt}, but the prompt goes to stdin: set prompt to file or argument",
      "4: agents.b.command has {prompt} inside a word: it is replaced only if it is a separate word",
      "5: agents.c has no command: add one, such as command: [c, -p]"
    ])
  })

  it("must be in a mapping of names", () => {
    expect(problems("agents: [claude]\n")).toEqual(["1: agents must be a mapping of names, each with keys and values"])
    expect(problems("agents: &a {}\ngates: *a\n")).toHaveLength(2)
  })
})

describe("gates", () => {
  it("inherit the listed environment variables", () => {
    expect(read("gates: { env: [DATABASE_URL, CI] }").gates).toEqual({ env: ["DATABASE_URL", "CI"] })
    expect(read("gates:\n").gates).toEqual({ env: [] })
  })

  it("have a time limit", () => {
    expect(read("gates: { timeout: 2 hours }").gates).toEqual({ env: [], timeout: Duration.hours(2) })
  })

  it("have every invalid value reported with its line", () => {
    expect(problems("gates:\n  env: CI\n  silence: 1 hour\n  timeout: 60\n")).toEqual([
      '3: has the unknown key "silence" in gates: expected one of env, timeout',
      "2: gates.env must be a list of environment variable names, such as [OPENAI_API_KEY]",
      "4: gates.timeout must be a duration with its unit, such as 30 minutes or 2 hours"
    ])
    expect(problems("gates: [CI]\n")).toEqual(["1: gates must be a mapping with these keys: env, timeout"])
  })
})
