/** From a project without tasks to the first one done, by nothing but the text that is printed. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { isAlive } from "../../process/workshop.js"
import * as Charlotte from "./Charlotte.js"
import * as Tasks from "./Tasks.js"

type Files = Readonly<Record<string, string>>

/** Each stands for a tool of the project, and says what it was called with. */
const tool =
  '#!/bin/sh\necho "$(basename "$0") $*" >> "$TOOLS"\ncase "$*" in ci) mkdir node_modules && touch node_modules/x ;; "-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python ;; esac\n'

/** Reads its prompt, and writes the file that it names. */
const agent = `#!/bin/sh
cat > "$TOOLS.prompt"
file=$(sed -n 's/^Write \`\\(.*\\)\`.*/\\1/p' "$TOOLS.prompt")
echo "What this is for." > "$file"
printf '%s\\n' '{"type":"result","subtype":"success","is_error":false,"result":"done"}'
`

const world = (files: Files, tools: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const world = yield* Charlotte.world(() => ({}))
    const { repository, root, variables, write } = world
    for (const [file, text] of Object.entries(files)) yield* write(`${repository}/${file}`, text)
    yield* Charlotte.commit(world, "a project")
    for (const name of tools) yield* write(`${root}/bin/${name}`, name === "claude" ? agent : tool, 0o755)
    // Gates get no other variables.
    yield* write(`${world.home}/config.yaml`, "gates: { env: [TOOLS] }\nagents: { claude: { env: [TOOLS] } }\n")
    const here = { ...variables, PATH: `${root}/bin:${variables["PATH"]}`, TOOLS: `${root}/tools` }
    return { ...world, variables: here }
  })

/** The commands that are to be run next, in order. */
const nextOf = (out: string): string =>
  /\nNext, for a first job:\n((?: {2}.*\n)+)/.exec(out)?.[1] ?? `echo no commands in: ${out}; exit 1`

const projects: ReadonlyArray<readonly [name: string, files: Files, tools: ReadonlyArray<string>, called: RegExp]> = [
  [
    "npm",
    { "package.json": '{"scripts":{"test":"x"}}', "package-lock.json": "{}" },
    ["npm", "claude"],
    /^(npm ci\n(npm test\n)+)+$/
  ],
  ["cargo", { "Cargo.toml": "" }, ["cargo", "claude"], /^(cargo test\n)+$/],
  ["go", { "go.mod": "module x\n" }, ["go"], /^(go test \.\/\.\.\.\n)+$/],
  [
    "python",
    { "setup.py": "", "test_a.py": "" },
    ["python3"],
    /^python3 -m venv \.venv\npython -m pip install .* --editable \.\n(python -m unittest\n)+$/
  ]
]

/** As root, where mounts can be made. */
const canMount = process.geteuid?.() === 0 && spawnSync("unshare", ["--mount", "true"]).status === 0

describe("charlotte init", () => {
  it.scopedLive.each(projects)("leads to a first task done in a project of %s", ([, files, tools, called]) =>
    Effect.gen(function* () {
      const here = yield* world(files, tools)
      const { code, err, out } = yield* Charlotte.run(here, "exec charlotte init", { cwd: `${here.repository}/dir` })
      expect([code, err]).toEqual([0, ""])
      expect(existsSync(`${here.root}/tools`)).toBe(false)
      const done = yield* Charlotte.run(here, `set -e\n${nextOf(out)}`, { cwd: `${here.repository}/dir` })
      expect([done.code, done.err]).toEqual([0, ""])
      expect(readFileSync(`${here.root}/tools`, "utf8")).toMatch(called)
      expect(yield* Tasks.done(here)).toEqual(["first 1"])
      expect(existsSync(`${here.repository}/HELLO.md`)).toBe(true)
      // Neither what the tools leave behind nor a note about it.
      expect(yield* here.git(here.repository, "ls-files", "--", "node_modules", "target")).toBe("")
      expect(done.out).not.toMatch(/passed before any work/)
      expect(yield* here.git(here.repository, "status", "--porcelain")).toBe("")
    })
  )

  it.scopedLive.skipIf(!canMount)("writes nothing where the repository is read-only, or belongs to another user", () =>
    Effect.gen(function* () {
      const here = yield* world({}, [])
      const { code, err, out } = yield* Charlotte.run(
        here,
        `exec unshare --mount sh -c 'mount --bind . . && mount -o remount,bind,ro . && cd "$PWD" && exec charlotte init'`
      )
      expect([code, err, out]).toEqual([2, expect.stringContaining(" cannot be written: it is read-only; "), ""])
      const other = yield* Charlotte.run(here, "chown -R 1 . && exec charlotte init")
      expect([other.code, other.err, other.out]).toEqual([2, expect.stringContaining("dubious ownership"), ""])
      expect(readdirSync(here.repository)).not.toContain("tasks")
    })
  )

  it.scopedLive("runs setup and tests in a fresh checkout with --try, and exits with 1 where they are red", () =>
    Effect.gen(function* () {
      const files = { "package.json": '{"scripts":{"test":"x"}}', "package-lock.json": "{}" }
      const here = yield* world(files, ["npm"])
      yield* here.write(`${here.repository}/uncommitted`, "")
      const green = yield* Charlotte.run(here, "exec charlotte init --try green")
      expect([green.code, green.err]).toEqual([0, ""])
      expect(green.out).toMatch(/\n✓ npm ci \(.*s\)\n✓ npm test \(.*s\)\n/)
      expect(readFileSync(`${here.root}/tools`, "utf8")).toBe("npm ci\nnpm test\n")
      expect(existsSync(`${here.repository}/node_modules`)).toBe(false)

      yield* here.write(
        `${here.root}/bin/npm`,
        `#!/bin/sh
[ "$*" = ci ] || { ls; echo 2 tests fail; exit 7; }
setsid sleep 600 </dev/null >/dev/null 2>&1 & echo $! > ${here.root}/left\n`,
        0o755
      )
      const red = yield* Charlotte.run(here, "exec charlotte init --try --json red")
      expect([red.code, red.err]).toEqual([1, ""])
      const { tried } = JSON.parse(red.out)
      expect(tried).toEqual([
        { command: "npm ci", took: expect.any(Number) },
        {
          command: "npm test",
          took: expect.any(Number),
          problem: expect.stringMatching(/^exited with 7\n(?:(?!uncommitted)[^\n]+\n)*2 tests fail$/)
        }
      ])
      // As a server of a build tool, it works in a directory that is gone.
      expect(isAlive(Number(readFileSync(`${here.root}/left`, "utf8")))).toBe(false)
      expect(readdirSync(`${here.repository}/red`)).toContain("charlotte.yaml")
      const shown = yield* Charlotte.run(here, "exec charlotte init --try shown")
      expect([shown.code, shown.err]).toEqual([1, ""])
      expect(shown.out).toMatch(
        /\n✗ npm test exited with 7 \(.*s\)\n(?: {4}.+\n)* {4}2 tests fail\nfirst {2}.* in shown\/charlotte\.yaml, such as .* in shown\/first\/01-hello\.md\n/
      )
    })
  )

  it.scopedLive("leads to a first task done in an empty repository, and to a second one from task new", () =>
    Effect.gen(function* () {
      const here = yield* world({}, [])
      yield* here.shell(here.root, "git init --quiet empty")
      const there = { ...here, repository: `${here.root}/empty` }
      const { out } = yield* Charlotte.run(there, "exec charlotte init")
      const done = yield* Charlotte.run(there, `set -e\n${nextOf(out)}`)
      expect([done.code, done.err]).toEqual([0, ""])
      expect(yield* Tasks.done(there)).toEqual(["first 1"])

      const second = yield* Charlotte.run(
        there,
        `set -e
         file=$(charlotte task new first "Write a word" --gate 'grep pig word')
         printf '%s\\n' '\`\`\`sh' 'echo pig > word' '\`\`\`' >> "$file"
         git add . && git commit --quiet -m "A second task"
         exec charlotte run tasks`
      )
      expect([second.code, second.err]).toEqual([0, ""])
      expect(yield* Tasks.done(there)).toEqual(["first 1", "first 2"])
    })
  )
})

describe("charlotte plan --prompt", () => {
  it.scopedLive("prints what the agent of the task gets to read, byte for byte", () =>
    Effect.gen(function* () {
      const here = yield* world({ "go.mod": "module x\n" }, ["go", "claude"])
      const { out } = yield* Charlotte.run(here, "exec charlotte init")
      yield* Charlotte.run(here, "sed -i 's/^baseline/protect: [test, \"go.*\"]\\nbaseline/' tasks/charlotte.yaml")
      const [short, long] = [
        yield* Charlotte.run(here, "cd dir && exec charlotte plan --prompt first 1"),
        yield* Charlotte.run(here, "exec charlotte plan tasks first 01 --prompt")
      ]
      expect([short.code, short.err]).toEqual([0, ""])
      expect(long).toEqual(short)
      expect((yield* Charlotte.run(here, `set -e\n${nextOf(out)}`)).code).toBe(0)
      expect(readFileSync(`${here.root}/tools.prompt`, "utf8")).toBe(short.out)

      const says = (line: string) =>
        Effect.map(Charlotte.run(here, `exec charlotte plan ${line}`), ({ code, err }) => [code, err])
      expect(yield* says("--prompt first 7")).toEqual([2, "charlotte: unit first has no task 7; its tasks are: 1\n"])
      expect(yield* says("--prompt frist 1")).toEqual([2, 'tasks: has no unit "frist": expected one of first\n'])
      expect(yield* says("--prompt first")).toEqual([
        2,
        expect.stringContaining("such as: charlotte plan --prompt parser 2")
      ])
      expect(yield* says("tasks first")).toEqual([2, expect.stringContaining('unexpected argument "first"')])
      expect(yield* says("--prompt first 1 --agent script")).toEqual([2, expect.stringContaining("gets no prompt")])
    })
  )
})
