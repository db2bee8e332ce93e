/** The morning after a night of real jobs: what `charlotte summary` says, line by line. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { task, unit } from "../../tasks/Jobs.js"
import * as Charlotte from "./Charlotte.js"
import * as Daemon from "./Daemon.js"

/** A plan with one unit of one task. */
const plan = (directory: string, settings: string, title: string, gate: string) => ({
  [`${directory}/charlotte.yaml`]: `${settings}\nattempts: 1\n`,
  [`${directory}/web/IMPLEMENTATION_PLAN.md`]: unit(),
  [`${directory}/web/01-one.md`]: task(1, "true", gate).replace("# Task 1", `# ${title}`)
})

const files = () => ({
  ...plan("form", "title: Sign-in form\nagent: night", "Show the form", "test -s form.txt"),
  ...plan("book", "title: Handbook\nagent: night\nland: never", "Write the book", "test -s book.txt"),
  ...plan("export", "title: Export\nagent: night", "Export as CSV", "test -s export.csv"),
  ...plan("import", "title: Import\nagent: night", "Import a file", "test -s import.txt"),
  ...plan("search", "title: Search\nagent: spare", "Find words", "test -s search.txt")
})

/** Does what the title of a task needs for each end of a job. */
const agent = `
  prompt=$(cat)
  say() { printf '{"type":"assistant","message":{"id":"%s","usage":{"input_tokens":1000,"output_tokens":200},"content":[{"type":"text","text":"%s"}]}}\\n' "$$" "$1"; }
  result() { printf '{"type":"result","subtype":"success","is_error":%s,"num_turns":1,"total_cost_usd":%s,"result":"%s"}\\n' "$1" "$2" "$3"; }
  case $prompt in
    *"Show the form"*) echo form > form.txt; say "The form is there."; result false 0.25 "The form is there." ;;
    *"Write the book"*) echo book > book.txt; say "It is written."; result false 0.5 "It is written." ;;
    *"Export as CSV"*) echo no > other.txt; say "I could not find the columns."; result false 0.1 "I could not find the columns." ;;
    *"Import a file"*) say "QUESTION: Which format do the files have?"; result false 0.05 "QUESTION: Which format do the files have?" ;;
    *) printf '{"type":"rate_limit_event","rate_limit_info":{"status":"rejected","resetsAt":%s,"rateLimitType":"five_hour"}}\\n' "$(($(date +%s) + 7200))"
       result true 0 "You've hit your session limit"; exit 1 ;;
  esac`

const profile = (root: string) => `{ command: [sh, ${root}/agent.sh], format: claude-stream-json }`

const idOf = Schema.decodeSync(Schema.parseJson(Schema.pluck(Schema.Struct({ id: Schema.String }), "id")))

describe("the morning", () => {
  it.scopedLive(
    "says what needs a person, with the command for it, and then what came of the night",
    () =>
      Effect.gen(function* () {
        const world = yield* Charlotte.world(files)
        const { git, home, repository, root, write } = world
        yield* write(`${root}/agent.sh`, agent)
        yield* write(`${home}/config.yaml`, `agents:\n  night: ${profile(root)}\n  spare: ${profile(root)}\n`)
        const charlotte = (words: string) => Charlotte.run(world, `exec charlotte ${words}`)
        /** Runs a job until it has ended or is parked. */
        const night = (directory: string, target: string, end: RegExp) =>
          Effect.gen(function* () {
            if (target !== "main") yield* git(repository, "branch", target)
            const { err, out } = yield* charlotte(`start tasks/${directory} --target ${target} --json`)
            expect(err).toBe("")
            const id = idOf(out)
            yield* Effect.scoped(
              Effect.flatMap(Charlotte.start(world, `exec charlotte watch ${id} --json`), ({ says }) => says(end))
            )
            return id
          })

        yield* Daemon.up(world)
        const form = yield* night("form", "main", /"type":"job.completed"/)
        const failed = yield* night("export", "two", /"type":"job.failed"/)
        const book = yield* night("book", "three", /"type":"job.completed"/)
        const asks = yield* night("import", "four", /"type":"job.parked"/)
        const waits = yield* night("search", "five", /"type":"job.parked"/)

        const names = { form, failed, book, asks, waits }
        const said = Effect.map(charlotte("summary"), ({ code, err, out }) => {
          expect([code, err]).toEqual([0, ""])
          return (
            Object.entries(names)
              .reduce((text, [name, id]) => text.replaceAll(id, `<${name}>`), out)
              .replaceAll(/\d+ (s|min) ago/g, "<age> ago")
              .replaceAll(/\d{4}-\d\d-\d\d/g, "<day>")
              .replaceAll(/\d\d:\d\d(:\d\d)?/g, "<time>")
              .replaceAll(/\(in [^)]*\)/g, "(in <age>)")
              .split("\n")
              // There are two if the jobs have ended before and after midnight.
              .filter((line) => !line.startsWith("  <day>  $"))
          )
        })
        const morning = [
          "Needs you",
          "",
          "  ! Import  parked, begun <age> ago",
          "    web asks: Which format do the files have?",
          '    charlotte answer <asks> "…"',
          "",
          "  ✗ Export  failed <age> ago",
          "    web 1: the gate exited with code 1",
          "    charlotte retry <failed>",
          "",
          "Since <day> <time>",
          "  ✓ done     Handbook  <time>, has not landed, $0.50",
          "    charlotte land <book>",
          "  ✓ landed   Sign-in form  <time> on main, $0.25",
          "  ✗ failed   Export  <time>, $0.10",
          "  · waits    Search  until <day> <time> (in <age>): spare is at its usage limit: You've hit your session limit, $0.00",
          "",
          "Cost: estimate, at API prices",
          "  so far      $0.05, 1.2k tokens (1.0k input, 0 cached, 200 output), 2 jobs, not ended yet",
          ""
        ]
        expect(yield* said).toEqual(morning)
        expect((yield* charlotte("jobs --cost")).err).toBe("cost: estimate, at API prices\n")
        yield* Daemon.down(world)
        expect(yield* said).toEqual(morning)

        // The command that it names lands the work, and is not named any more.
        expect((yield* charlotte(`land ${book}`)).code).toBe(0)
        const after = yield* said
        expect(after.join("\n")).not.toContain("charlotte land")
        expect(after.filter((line) => line.includes("Handbook"))).toHaveLength(2)
        expect((yield* charlotte(`show ${book}`)).out).toMatch(/\n {2}landed +by job \w{26}\n/)
      }),
    900_000
  )
})
