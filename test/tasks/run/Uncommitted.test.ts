import { describe, expect, it } from "@effect/vitest"
import { Agents } from "charlotte/tasks"
import { Effect } from "effect"
import { existsSync, readFileSync } from "node:fs"
import * as Repository from "../../support/Repository.js"
import { charlotte, repository, run, show, task } from "../Jobs.js"

/** Git without root's permission to read everything, like that of an ordinary user. */
const ordinary = (world: Repository.Sandbox) =>
  Effect.gen(function* () {
    if (process.geteuid?.() !== 0) return world
    const executable = `${world.root}/bin/git`
    yield* world.write(executable, '#!/bin/sh\nexec setpriv --bounding-set=-all --inh-caps=-all git "$@"\n', 0o755)
    return { ...world, environment: { ...world.environment, executable } }
  })

/** A job of one task, whose agent saves its prompts and runs one script per attempt. */
const job = (first: string, second: string, attempts = 2) =>
  Effect.gen(function* () {
    const world = yield* Effect.flatMap(Repository.sandbox, ordinary)
    const { config, top } = yield* repository(world, {
      "charlotte.yaml": `attempts: ${attempts}\n`,
      "01-out.md": task(1, "true", "test -e out.txt")
    })
    const script = `echo out > out.txt
if test -e '${world.root}/prompt-1'; then
cat > '${world.root}/prompt-2'
${second}
else
cat > '${world.root}/prompt-1'
${first}
fi`
    const profile = new Agents.Profile({ name: "mine", command: ["sh", "-c", script], prompt: "stdin", env: [] })
    const ended = yield* run({ ...config, agent: "mine" }).pipe(
      Effect.provide(charlotte(world, { profiles: [profile] }))
    )
    const prompt = (number: number) => readFileSync(`${world.root}/prompt-${number}`, "utf8")
    return { ...ended, prompt, main: (file: string) => show(world, top, `main:${file}`) }
  })

/** What git says when it cannot write, and the note of the task. */
const unwritable = {
  "No space left on device": "the disk is full: the work is committed once it can be written",
  "Disk quota exceeded": "the disk quota is used up: the work is committed once it can be written",
  "Read-only file system": "the file system is read-only: the work is committed once it can be written",
  "Input/output error": "the disk reports input/output errors: the work is committed once it can be written"
}

describe("work that is done when nothing can be written", () => {
  for (const [message, expected] of Object.entries(unwritable))
    it.scopedLive(`is committed once that is over, by the same attempt, and a note says so: ${message}`, () =>
      Effect.gen(function* () {
        const sandbox = yield* Repository.sandbox
        const executable = `${sandbox.root}/bin/git`
        const closed = `${sandbox.root}/closed`
        // Its failures cut a file short, until files can be written.
        const wrapper = `#!/bin/sh
case "$*" in *checkout-index*) if rm '${closed}-1' 2>/dev/null || rm '${closed}-2' 2>/dev/null; then
  echo > "$GIT_WORK_TREE/tasks/01-out.md"
  echo 'fatal: write error: ${message}' >&2
  exit 128
fi;; esac
exec git "$@"
`
        yield* sandbox.write(executable, wrapper, 0o755)
        const world = { ...sandbox, environment: { ...sandbox.environment, executable } }
        const { config, top } = yield* repository(world, {
          "charlotte.yaml": "attempts: 1\n",
          "01-out.md": task(
            1,
            `echo out > out.txt; echo run >> '${sandbox.root}/runs'; touch '${closed}-1' '${closed}-2'`,
            "test -e out.txt"
          )
        })
        const { run: ended, work } = yield* run(config).pipe(Effect.provide(charlotte(world)))
        expect([ended.status, ended.error]).toEqual(["completed", undefined])
        expect(existsSync(`${closed}-2`)).toBe(false)
        expect(work.tasks).toMatchObject([{ state: "completed", failures: 0, notes: [expected] }])
        expect(readFileSync(`${sandbox.root}/runs`, "utf8")).toBe("run\n")
        expect(yield* show(world, top, "main:out.txt")).toBe("out\n")
      })
    )
})

describe("an attempt whose work cannot be committed", () => {
  const failsOnce = (
    name: string,
    options: { readonly first: string; readonly second: string; readonly words: ReadonlyArray<string> },
    file: string,
    content: string
  ) =>
    it.scopedLive(`fails, and the next prompt quotes the git error: ${name}`, () =>
      Effect.gen(function* () {
        const { main, prompt, run, work } = yield* job(options.first, options.second)
        expect(run.error).toBeUndefined()
        expect(work.tasks).toMatchObject([{ state: "completed", failures: 1 }])
        expect(prompt(2)).toContain("the work could not be committed")
        for (const words of options.words) expect(prompt(2)).toContain(words)
        expect(yield* main(file)).toBe(content)
      })
    )

  failsOnce(
    "a name that git rejects",
    { first: "echo x > 'git~1'", second: "rm 'git~1'", words: ["Ignoring path git~1"] },
    "out.txt",
    "out\n"
  )
  failsOnce(
    "a committed file that is now a FIFO",
    {
      first: "rm a.txt; mkfifo a.txt",
      second: "rm a.txt; echo file > a.txt",
      words: ["a.txt: unsupported file type"]
    },
    "a.txt",
    "file\n"
  )
  failsOnce(
    "a file that cannot be read",
    {
      first: "echo secret > closed.txt; chmod 000 closed.txt",
      second: "chmod 644 closed.txt",
      words: ['open("closed.txt"): Permission denied', "Unable to process path closed.txt"]
    },
    "closed.txt",
    "secret\n"
  )
  failsOnce(
    "a new directory that cannot be read",
    {
      first: "mkdir closed; echo in > closed/in.txt; chmod 000 closed",
      second: "chmod 755 closed",
      words: ["could not open directory 'closed/': Permission denied"]
    },
    "closed/in.txt",
    "in\n"
  )
  failsOnce(
    "a committed directory that can no longer be read",
    {
      first: "echo changed > dir/c.txt; chmod 000 dir",
      second: "chmod 755 dir",
      words: ["could not open directory 'dir/': Permission denied", "dir/c.txt: Permission denied"]
    },
    "dir/c.txt",
    "changed\n"
  )

  it.scopedLive(
    "costs one attempt if the agent has committed a nested repository and does what the prompt advises",
    () =>
      Effect.gen(function* () {
        const identity = "git config user.name A; git config user.email a@example.com"
        const first = `git init -q sub; (cd sub; ${identity}; echo in > in.txt; git add in.txt; git commit -q -m in)
        git add out.txt sub 2>/dev/null; git commit -q -m own`
        const advice = "git rm --cached -- sub && git commit -m 'Remove nested repositories'"
        const { main, prompt, run, work } = yield* job(first, `rm -rf sub/.git; ${advice}`, 3)
        expect(prompt(2)).toContain(`take them out of the last commit with: ${advice}`)
        expect([run.error, work.tasks[0]?.failures]).toEqual([undefined, 1])
        expect(yield* main("sub/in.txt")).toBe("in\n")
      })
  )

  it.scopedLive("fails the task with the git error if it was the last attempt", () =>
    Effect.gen(function* () {
      const { run, work } = yield* job("mkdir closed; chmod 000 closed", "true", 1)
      expect(run.status).toBe("failed")
      expect(work.tasks).toMatchObject([
        {
          state: "failed",
          failures: 1,
          reason: expect.stringContaining("warning: could not open directory 'closed/': Permission denied")
        }
      ])
    })
  )
})
