import { describe, expect, it } from "@effect/vitest"
import { FastCheck as fc, Option } from "effect"
import { readFileSync } from "node:fs"
import { TaskStatus } from "../../../src/yaml/fields.js"
import * as TaskFile from "../../../src/tasks/plan/TaskFile.js"

const parse = (frontmatter: string, body = "\n# Title\n") =>
  TaskFile.parse("tasks/api/02-name.md", `---\n${frontmatter}\n---\n${body}`)

const good = "task: 2\nbackpressure: npm test"

const problemsOf = (frontmatter: string) => parse(frontmatter).problems.map(String)

describe("TaskFile.parse", () => {
  it("reads every key, the title, the prompt and the scripts", () => {
    const task = parse(
      `task: 2\nstatus: in_progress\nbackpressure: "go test ./... -run TestJobManager"\ndepends_on: [1]\nagent: [claude, codex]\nmodel: opus\nsession: fresh\nbefore: red\nprotect: []`,
      "\n# Job manager core\n\nDo it.\n\n```sh\nmake\n```\n"
    )
    expect(task).toEqual({
      file: "tasks/api/02-name.md",
      number: 2,
      line: 2,
      title: "Job manager core",
      status: "in_progress",
      backpressure: "go test ./... -run TestJobManager",
      dependsOn: [{ to: 1, line: 5 }],
      agents: {
        file: "tasks/api/02-name.md",
        agents: [
          { name: "claude", line: 6 },
          { name: "codex", line: 6 }
        ],
        model: { name: "opus", line: 7 }
      },
      session: "fresh",
      before: "red",
      protect: [],
      prompt: "\n# Job manager core\n\nDo it.\n\n```sh\nmake\n```\n",
      scripts: ["make\n"],
      problems: []
    })
  })

  it("reads a task of a real project", () => {
    const text = readFileSync(new URL("fixtures/job-manager-core.md", import.meta.url), "utf8")
    const task = TaskFile.parse("tasks/daemon/04-job-manager-core.md", text)
    expect(task.problems).toEqual([])
    expect(task).toMatchObject({
      number: 4,
      title: "Job Manager Core",
      status: "complete",
      backpressure: "go test ./internal/daemon/... -run TestJobManager",
      dependsOn: [{ to: 3, line: 5 }],
      scripts: []
    })
    expect(task.prompt).toContain("## NOT In Scope")
  })

  it("uses defaults for missing and empty values", () => {
    for (const frontmatter of [good, `${good}\nstatus:\ndepends_on:`]) {
      expect(parse(frontmatter)).toMatchObject({ status: "pending", dependsOn: [], problems: [] })
    }
  })

  it("tolerates a byte order mark and CRLF", () => {
    const task = TaskFile.parse(
      "02-x.md",
      "\uFEFF---\r\ntask: 2\r\nbackpressure: |\r\n  a\r\n  b\r\n---\r\n# T\r\n```sh\r\nx\r\ny\r\n```\r\n"
    )
    expect(task).toMatchObject({ number: 2, title: "T", backpressure: "a\nb\n", scripts: ["x\ny\n"], problems: [] })
  })

  it("uses the file name as title without a heading", () => {
    expect(parse(good, "text\n").title).toBe("name")
  })

  it("requires a number and a backpressure command", () => {
    const none = "has no backpressure: add the command that must pass before the task counts as done"
    expect(problemsOf("status: pending")).toEqual([
      "tasks/api/02-name.md:1: has no task number: add a line such as task: 1",
      `tasks/api/02-name.md:1: ${none}`
    ])
    expect(problemsOf("task: 2\nbackpressure:")).toEqual([`tasks/api/02-name.md:3: ${none}`])
    expect(problemsOf('task: 2\nbackpressure: "  "')).toEqual([
      "tasks/api/02-name.md:3: backpressure must be a shell command, as text: put quotes around it"
    ])
  })

  it("reports every value of a wrong type with its line", () => {
    expect(problemsOf('task: two\nstatus: done\nbackpressure: true\ndepends_on:\n  - 1\n  - "2"\n  - 0')).toEqual([
      "tasks/api/02-name.md:2: task must be a task number: a whole number, 1 or more",
      "tasks/api/02-name.md:4: backpressure must be a shell command, as text: put quotes around it",
      "tasks/api/02-name.md:3: status must be pending, in_progress, complete or failed",
      "tasks/api/02-name.md:7: depends_on must be a task number: a whole number, 1 or more",
      "tasks/api/02-name.md:8: depends_on must be a task number: a whole number, 1 or more"
    ])
    expect(problemsOf(`${good}\ndepends_on: 1`)).toEqual([
      "tasks/api/02-name.md:4: depends_on must be a list of task numbers in this unit, such as [1, 2]"
    ])
  })

  it("reports unknown keys with the key that was probably meant", () => {
    expect(problemsOf(`${good}\ndepend_on:\n  - 1\nagents: claude\ndepends: [1]`)).toEqual([
      'tasks/api/02-name.md:4: has the unknown key "depend_on": did you mean "depends_on"?',
      'tasks/api/02-name.md:6: has the unknown key "agents": did you mean "agent"?',
      'tasks/api/02-name.md:7: has the unknown key "depends": did you mean "depends_on"?'
    ])
    expect(problemsOf(`${good}\n"a\\e[2Jb\\nc": 1\n${"x".repeat(300)}: 1`)).toEqual([
      'tasks/api/02-name.md:4: has the unknown key "ab c": expected one of task, backpressure, before, status, depends_on, agent, model, session, protect',
      `tasks/api/02-name.md:5: has the unknown key "${"x".repeat(100)}…": expected one of task, backpressure, before, status, depends_on, agent, model, session, protect`
    ])
    expect(problemsOf(`${good}\n1: x`)).toEqual([
      'tasks/api/02-name.md:4: has the unknown key "1": expected one of task, backpressure, before, status, depends_on, agent, model, session, protect'
    ])
  })

  it("reports a number that does not match the file name", () => {
    expect(problemsOf("task: 3\nbackpressure: x")).toEqual([
      "tasks/api/02-name.md:2: is task 3, but its file name has 02: make them match"
    ])
  })

  it("reports missing and unterminated frontmatter", () => {
    for (const text of ["# Title\n", "\n---\ntask: 1\n---\n", ""]) {
      expect(TaskFile.parse("01-a.md", text).problems.map(String)).toEqual([
        "01-a.md:1: has no frontmatter: begin the file with a line ---, then its keys, then another line ---"
      ])
    }
    expect(TaskFile.parse("01-a.md", "---\ntask: 1\n").problems.map(String)).toEqual([
      "01-a.md:1: has unterminated frontmatter: add a line --- below its keys"
    ])
  })

  it("rejects anything but a plain mapping", () => {
    const say = (frontmatter: string) =>
      problemsOf(frontmatter).map((problem) => problem.slice("tasks/api/02-name.md:".length))
    expect(say(`${good}\ntask: 2`)).toEqual(["4: has this key twice: keep one of them"])
    expect(say(`${good}\na: &x 1\nb: *x`)).toEqual([
      "4: has the YAML alias or anchor &x here: write the value out, or put quotes around it",
      "5: has the YAML alias or anchor *x here: write the value out, or put quotes around it"
    ])
    expect(say(`${good}\n${"x: 1\n".repeat(9)}status: *x`)).toEqual(
      [5, 6, 7, 8, 9].map((line) => `${line}: has this key twice: keep one of them`)
    )
    expect(say("- task\n- 2")).toEqual(["2: has YAML here that is not a mapping of keys to values"])
    expect(say("just words")).toEqual(["2: has YAML here that is not a mapping of keys to values"])
    expect(say("task: 2\nbackpressure: echo a: b")).toEqual([
      '3: has a value with ": " in it: put quotes around the value'
    ])
    expect(say("task: 2\nbackpressure: [")[0]).toMatch(/^3: is not valid YAML here: /)
    expect(say(`${good}\nf: !!js/function "() => 1"`)[0]).toMatch(/^4: has unsupported YAML here: Unresolved tag/)
  })

  it("rejects input that could exhaust the parser", () => {
    for (const deep of [
      "[".repeat(12_000),
      "- ".repeat(8_000),
      "? ".repeat(8_000),
      "a: ".repeat(5_000),
      "{a: ".repeat(4_000)
    ]) {
      expect(problemsOf(deep)).toEqual(["tasks/api/02-name.md:2: nests YAML more than 32 levels deep here: flatten it"])
    }
    expect(problemsOf("x".repeat(17 * 1024))).toEqual([
      "tasks/api/02-name.md:2: has more than 16 KiB of YAML here: shorten it"
    ])
    expect(problemsOf("]\n".repeat(5_000))).toHaveLength(5)
    const command = 'x="${a[1]}"; [ -f b ] && { c; }; '.repeat(50)
    expect(problemsOf(`task: 2\nbackpressure: |\n  ${command}`)).toEqual([])
  })
})

describe("TaskFile.parse of any text", () => {
  const piece = fc.constantFrom(
    ..."---|\n|\r\n|: |- |? |[|]|{|}|,|&a|*a|!t|!!str |#| |  |\t|'|\"|>|task|status|1|\u2028|\uFEFF|```|~~~|sh|<!--|-->|# |=".split(
      "|"
    ),
    "|",
    "task: 1\n",
    "status: pending\n",
    "depends_on: ",
    "\n---\n",
    "__proto__: "
  )
  const text = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(""))

  it("succeeds or reports problems, and never throws", () => {
    fc.assert(
      fc.property(fc.constantFrom("", "---\n", "---\ntask: 1\nbackpressure: x\n"), text, (start, text) => {
        const task = TaskFile.parse("01-a.md", `${start}${text}\n---\n${text}`)
        const changed = TaskFile.withStatus(`${start}${text}\n---\n${text}`, "complete")
        // Setting the status of a valid file changes nothing else.
        const again = TaskFile.parse(
          "01-a.md",
          Option.getOrElse(changed, () => "")
        )
        return (
          task.problems.length > 0 ||
          Option.isNone(changed) ||
          (again.status === "complete" && again.prompt === task.prompt)
        )
      }),
      { numRuns: 3_000 }
    )
  })
})

describe("TaskFile.withStatus", () => {
  const set = (text: string) => Option.getOrNull(TaskFile.withStatus(text, "complete"))

  it("changes the value and no other byte", () => {
    expect(set("\uFEFF---\r\n# why\r\nstatus:   pending   # now\r\nx: 1\r\n---\r\nstatus: pending\r\n")).toBe(
      "\uFEFF---\r\n# why\r\nstatus:   complete   # now\r\nx: 1\r\n---\r\nstatus: pending\r\n"
    )
    expect(set('---\n"status": "in_progress"\n---')).toBe('---\n"status": complete\n---')
    expect(set("---\n{ task: 1, status: failed }\n---\n")).toBe("---\n{ task: 1, status: complete }\n---\n")
  })

  it("fills in an empty value", () => {
    expect(set("---\nstatus:\ntask: 1\n---\n")).toBe("---\nstatus: complete\ntask: 1\n---\n")
    expect(set("---\nstatus: # later\ntask: 1\n---\n")).toBe("---\nstatus: complete # later\ntask: 1\n---\n")
  })

  it("adds a missing key", () => {
    expect(set("---\r\ntask: 1\r\nb: |+\r\n  x\r\n\r\n# end\r\n---\r\nbody")).toBe(
      "---\r\ntask: 1\r\nb: |+\r\n  x\r\n\r\n# end\r\nstatus: complete\r\n---\r\nbody"
    )
    expect(set("---\n  task: 1\n---\n")).toBe("---\n  task: 1\n  status: complete\n---\n")
    expect(set("---\n{ task: 1 }\n---\n")).toBe("---\n{status: complete,  task: 1 }\n---\n")
    expect(set("---\n---\n")).toBe("---\nstatus: complete\n---\n")
  })

  it("returns none for frontmatter that it cannot edit", () => {
    for (const text of [
      "# no frontmatter\n",
      "---\nstatus: pending\n",
      "---\n- status\n---\n",
      "---\nstatus: a\nstatus: b\n---\n",
      "---\nstatus: |\n  pending\n---\n",
      "---\nstatus: [pending]\n---\n",
      "---\na: &a pending\nstatus: *a\n---\n"
    ]) {
      expect(set(text)).toBeNull()
    }
  })

  const word = fc.stringMatching(/^[a-z]{1,8}$/).filter((word) => !["task", "status", "backpressure"].includes(word))
  const value = fc.constantFrom(
    "",
    "plain words",
    '"a: #"',
    "7",
    "[1, {a: b}]",
    "|\n  block\n\n  more",
    "'it''s'  # why"
  )
  const other = fc.record({ key: word, value }).map(({ key, value }) => ({ key, text: `${key}: ${value}` }))
  const comment = word.map((word) => ({ key: `# ${word}`, text: `# ${word}` }))
  const lines = fc.uniqueArray(fc.oneof(other, comment), { maxLength: 6, selector: ({ key }) => key })
  const file = fc.record({
    mark: fc.constantFrom("", "\uFEFF"),
    end: fc.constantFrom("\n", "\r\n"),
    lines,
    at: fc.nat(6),
    before: fc.constantFrom("status: ", "status:   ", '"status": ', "status : "),
    after: fc.constantFrom("", "  ", " # why"),
    body: fc.array(fc.constantFrom("", "# Title", "---", "status: pending", "text"), { maxLength: 6 })
  })
  type File = typeof file extends fc.Arbitrary<infer A> ? A : never

  /** Without a value there is no status key. */
  const write = ({ after, at, before, body, end, lines, mark }: File, word?: string): string => {
    const others = lines.map(({ text }) => text)
    const status = word === undefined ? [] : [before + word + after]
    const keys = ["task: 1", "backpressure: make", ...others.slice(0, at), ...status, ...others.slice(at)]
    return mark + ["---", ...keys, "---", ...body].join("\n").replaceAll("\n", end) + end
  }
  const status = fc.constantFrom(...TaskStatus.literals)
  const written = fc.constantFrom(...TaskStatus.literals, '"pending"', "'failed'")

  it("changes the status only, in any file, with any line endings", () => {
    fc.assert(
      fc.property(file, written, status, (file, old, next) => {
        const changed = Option.getOrThrow(TaskFile.withStatus(write(file, old), next))
        expect(changed).toBe(write(file, next))
        expect(TaskFile.parse("01-a.md", changed)).toMatchObject({ status: next, number: 1 })
        expect(Option.getOrThrow(TaskFile.withStatus(changed, next))).toBe(changed)
      })
    )
  })

  it("adds the status as the last key to any file without one", () => {
    fc.assert(
      fc.property(file, status, (file, next) => {
        const plain = { ...file, at: 6, before: "status: ", after: "" }
        const changed = Option.getOrThrow(TaskFile.withStatus(write(plain), next))
        expect(changed).toBe(write(plain, next))
        expect(TaskFile.parse("01-a.md", changed)).toMatchObject({ status: next, number: 1 })
      })
    )
  })
})
