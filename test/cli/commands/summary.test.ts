import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as CommandLine from "./CommandLine.js"
import { forbidden } from "../hostile.js"
import { Here, layer as daemon, tasks } from "./Here.js"

layer(daemon(tasks), { excludeTestServices: true, timeout: "5 minutes" })("charlotte summary", (it) => {
  it.scoped(
    "is the help while there is no job, and then what needs a person, with its command, before what happened",
    () =>
      Effect.gen(function* () {
        const world = yield* Here
        const { complete, run } = world
        const within = CommandLine.make({ ...world, directory: world.repository })
        const onTerminal = (...argv: ReadonlyArray<string>) => within(argv, { isTerminal: true, columns: 80 }).answer
        expect((yield* onTerminal()).out).toContain("Usage")
        const good = yield* complete("good")
        const bad = yield* complete("bad")
        const { code, out } = yield* onTerminal()
        expect(code).toBe(0)
        expect(out).not.toMatch(forbidden)
        const lines = out.trimEnd().split("\n")
        expect(lines[0]).toBe("Needs you")
        expect(lines[2]).toMatch(/^ {2}✗ .*: (a|bad|tasks.*bad) {2}failed \d+ (s|min) ago$/)
        expect(lines[3]).toMatch(/^ {4}a 1: the gate exited with code 1/)
        expect(lines).toContain(`    charlotte retry ${bad}`)
        expect(lines.find((line) => line.startsWith("  ✓ landed"))).toMatch(/ \d\d:\d\d on /)
        const withoutAge = (text: string) => text.replace(/\d+ (s|min) ago/g, "")
        expect(withoutAge((yield* onTerminal("summary")).out)).toBe(withoutAge(out))
        // A pipe, and a terminal elsewhere, get the help, as before.
        expect((yield* world.onTerminal(80)).out).toContain("Usage")
        expect((yield* run()).out).toContain("Usage")

        const json = JSON.parse((yield* run("summary", "--json")).out)
        expect(json).toMatchObject({
          needs: [{ id: bad, status: "failed", command: `charlotte retry ${bad}` }],
          completed: [{ id: good }],
          failed: [{ id: bad }]
        })
      })
  )

  it.scoped("needs nobody for a failed job that another one retries, and names that one", () =>
    Effect.gen(function* () {
      const { run } = yield* Here
      const [job] = JSON.parse((yield* run("summary", "--json")).out).needs
      const { out } = yield* run("retry", job.id, "--json")
      const retry = JSON.parse(out.trimEnd().split("\n").at(-1) ?? "").summary?.jobId
      const { failed, needs } = JSON.parse((yield* run("summary", "--json")).out)
      // The retry fails, too, and is what needs a person now.
      expect(needs).toMatchObject([{ id: retry }])
      expect(failed).toMatchObject([{ id: retry }, { id: job.id, retriedBy: retry }])
      expect((yield* run("summary")).out).toContain(`retried by ${retry}`)
    })
  )

  it.scoped("begins at a time, or so long ago", () =>
    Effect.gen(function* () {
      const { run } = yield* Here
      const count = (...argv: ReadonlyArray<string>) =>
        Effect.map(run("summary", "--json", ...argv), ({ out }) => JSON.parse(out).completed.length)
      expect(yield* count("--since", "2h")).toBe(1)
      expect((yield* run("summary", "--since", "soon")).err).toContain(
        "a duration such as 12h, or a time such as 22:00"
      )
    })
  )
})
