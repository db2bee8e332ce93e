/** `charlotte run` on a terminal: a real one, played by `script`, and read as a terminal reads it. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { task } from "../../tasks/Jobs.js"
import * as Emulator from "../run/Emulator.js"
import * as Charlotte from "./Charlotte.js"
import * as Tasks from "./Tasks.js"

/** What stands on a terminal of that size in the end, and at each redraw before. */
const shown = (out: string, columns: number, rows: number) => {
  const emulator = Emulator.make(columns, rows)
  // oxlint-disable-next-line no-control-regex -- a terminal is told so where a redraw begins
  const frames = out.split(/(?=\x1b\[\?2026h)/).map((frame) => {
    // The terminal itself shows how Ctrl-C was typed.
    emulator.write(frame.replaceAll("\r\n", "\n").replaceAll("^C", ""))
    return emulator.text()
  })
  return { frames, text: emulator.text() }
}

const start = (world: Charlotte.World, columns: number, rows: number, command: string) => {
  const inside = `stty cols ${columns} rows ${rows}; exec ${command}`
  return Charlotte.start(world, `exec script --quiet --return --command '${inside}' /dev/null`, {
    variables: { SHELL: "/bin/sh" }
  })
}

for (const [columns, rows] of [
  [60, 20],
  [160, 50]
] as const) {
  describe(`charlotte run on a terminal of ${columns} columns and ${rows} rows`, () => {
    it.scopedLive("shows running units and leaves the results on the screen", () =>
      Effect.gen(function* () {
        const world = yield* Charlotte.world((root) => ({
          ...Tasks.waiting()(root),
          "charlotte.yaml": "agent: script\n",
          // The first try does not pass, and the second waits until that was seen.
          "b/01-three.md": task(
            1,
            `if test -e three; then while ! test -e '${root}/seen'; do sleep 0.05; done; fi\necho x >> three`,
            "cat one; seq 100; test $(wc -l < three) = 2"
          )
        }))
        const running = yield* start(world, columns, rows, "charlotte run tasks")
        yield* running.says(/ 2 .*Task 2.*agent/)
        yield* Tasks.release(world)
        yield* running.says(/gate failed: exited with code 1[^]*│ 100/)
        yield* world.write(`${world.root}/seen`, "")
        const { code, out } = yield* running.ended
        expect(code).toBe(0)
        const { frames, text } = shown(out, columns, rows)
        expect(text).toMatch(
          /^job \w{26} started\n2 units, 3 tasks for main, agent script\n✓ a {2}merged, commit \w{8} {2}\d:\d\d\n✓ b {2}merged, commit \w{8} {2}\d:\d\d\n✓ landed on main, commit \w{8}\n\n✓ completed in /
        )
        expect(text).not.toContain("━")
        expect(
          frames.some((frame) => /\n\n {2}a {2}2 Task 2 +agent +\d:\d\d\n\n {2}━+─+ {2}1\/3 {2}\d:\d\d$/.test(frame))
        ).toBe(true)
        expect(frames.some((frame) => frame.includes("b 1  gate failed: exited with code 1\n│ 93\n"))).toBe(true)
        for (const line of frames.flatMap((frame) => frame.split("\n")))
          if (!line.includes("diff ")) expect(line.length).toBeLessThanOrEqual(columns)
      })
    )

    it.scopedLive("exits on Ctrl-C, and on two at once", () =>
      Effect.gen(function* () {
        const world = yield* Charlotte.world(Tasks.stubborn)
        const running = yield* start(world, columns, rows, "charlotte run tasks")
        yield* Tasks.reached(world)
        yield* running.type("\x03")
        yield* running.says(/stopping; press Ctrl-C again to kill what is still running/)
        yield* Effect.sleep("200 millis")
        yield* running.type("\x03")
        const ended = yield* running.ended
        expect(ended.code).toBe(130)
        const { text } = shown(ended.out, columns, rows)
        expect(text).toMatch(/\nstopping; press Ctrl-C again to kill what is still running\n\n! interrupted after /)
        expect(text).toMatch(/\n {2}continue with {2}charlotte resume \w{26}$/)
      })
    )
  })
}

describe("charlotte plan and doctor on a narrow terminal", () => {
  it.scopedLive("stay within its width", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(() => ({
        ...Tasks.simple,
        "a/01-one.md": task(1, ":", `grep -q one ${"very/".repeat(20)}deep`)
      }))
      const running = yield* start(world, 40, 20, "charlotte plan tasks")
      const { text } = shown((yield* running.ended).out, 40, 20)
      expect(text).toMatch(/^wave 1\n└─ a\n {3}├─ 1 Task 1\n {3}│ {4}gate {2}grep -q one very\/very\/ver…\n/)
      for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(40)
      const doctor = yield* start(world, 60, 20, "charlotte doctor")
      const ended = yield* doctor.ended
      expect(ended.code).toBe(0)
      expect(shown(ended.out, 60, 20).text).toMatch(
        /\n✓ agents {9}only script, which runs the sh blocks in\n {17}the tasks\n/
      )
    })
  )
})
