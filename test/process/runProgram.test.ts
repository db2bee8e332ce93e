import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Option } from "effect"
import * as fc from "fast-check"
import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { RealClock } from "../../src/internal/RealClock.js"
import { type Program, runProgram } from "../../src/process/runProgram.js"
import { bundle } from "../support/bundle.js"
import { directory, eventually, hold, isAlive, isHeld, read, timed } from "./workshop.js"

const path = "/usr/local/bin:/usr/bin:/bin"

const program = (file: string, ...args: ReadonlyArray<string>): Program => ({
  file,
  args,
  cwd: "/",
  env: { PATH: path },
  limit: Duration.minutes(1)
})

const sh = (script: string, env = {}): Program => ({ ...program("sh", "-c", script), env: { PATH: path, ...env } })

/** Any text that an argument can be. */
const text = fc.string({ unit: "binary" }).map((text) => text.replaceAll("\0", ""))

describe("a short program", () => {
  it.live("gives its output, its errors and its exit code", () =>
    Effect.gen(function* () {
      expect(yield* runProgram(sh("printf 'a\\0b'"))).toEqual({ code: 0, stdout: Buffer.from("a\0b"), stderr: "" })
      expect(yield* runProgram(sh("echo out; echo err >&2; exit 3"))).toEqual({
        code: 3,
        stdout: Buffer.from("out\n"),
        stderr: "err\n"
      })
      expect((yield* runProgram(sh("kill -9 $$"))).code).toBe(128 + 9)
    })
  )

  it.scopedLive("gets any arguments, variables and input as they are", () =>
    Effect.gen(function* () {
      const home = yield* directory
      const show = join(home, "show")
      writeFileSync(show, '#!/bin/sh\nprintf \'%s|\' "$@" "$SAID"; cat\n', { mode: 0o755 })
      const check = (args: ReadonlyArray<string>, said: string, input: string) =>
        Effect.map(
          runProgram({ ...program(show, ...args), env: { PATH: path, SAID: said }, input }),
          ({ code, stdout }) => {
            expect(code).toBe(0)
            expect(stdout.toString()).toBe(`${[...args, said].join("|")}|${input}`)
          }
        )
      const property = fc.asyncProperty(
        fc.array(text, { maxLength: 4 }),
        text,
        fc.string({ unit: "binary" }),
        (...given) => Effect.runPromise(check(...given))
      )
      yield* Effect.promise(() => fc.assert(property, { numRuns: 50 }))
      yield* check(["$(touch x)", "`x`", "'", "\\", "\n", "%s", "-n", "", "*"], "it's $HOME", "\0\\0001\\c%b'\n")
      yield* check([], "", "x".repeat(1_000_000))
    })
  )

  it.live("may end before it has read its input", () =>
    Effect.gen(function* () {
      expect((yield* runProgram({ ...sh("exit 4"), input: "x".repeat(1_000_000) })).code).toBe(4)
    })
  )

  it.live("that cannot be started fails with the reason", () =>
    Effect.gen(function* () {
      const failure = (bad: Program) => Effect.map(Effect.flip(runProgram(bad)), ({ message }) => message)
      expect(yield* failure(program("/no/such/program"))).toBe(
        "there is no /no/such/program, or not the interpreter that its first line names"
      )
      expect(yield* failure(program("no-such-program"))).toMatch(/^the command no-such-program is not on the PATH/)
      expect(yield* failure({ ...program("true"), cwd: "/no/such/directory" })).toBe(
        "its working directory /no/such/directory is missing or cannot be entered"
      )
      for (const bad of [program("echo", "a\0b"), program("a\0b"), { ...program("true"), cwd: "/\0" }])
        expect(yield* failure(bad)).toMatch(/has a NUL character in it$/)
    })
  )

  it.live("gets its own variables, and none of this process", () =>
    Effect.gen(function* () {
      const { stdout } = yield* runProgram({ ...program("env"), env: { PATH: path, OWN: "2" } })
      expect(stdout.toString().trim().split("\n").toSorted()).toEqual(["OWN=2", `PATH=${path}`])
    })
  )

  it.live("is quoted with the end of a long error", () =>
    Effect.gen(function* () {
      const long = yield* runProgram(sh("head -c 1000000 /dev/zero | tr '\\0' x >&2; echo end >&2; exit 1"))
      expect(long.stderr).toMatch(/^x{10000,20000}end\n$/)
    })
  )

  it.live("may print 20 MB, while others do the same", () =>
    Effect.gen(function* () {
      const large = runProgram(sh("head -c 20000000 /dev/zero"))
      const sizes = yield* Effect.all([large, large, large, large], { concurrency: "unbounded" })
      expect(sizes.map(({ stdout }) => stdout.length)).toEqual([2e7, 2e7, 2e7, 2e7])
    })
  )

  it.live("that prints more than 256 MiB is ended", () =>
    Effect.gen(function* () {
      const { message } = yield* Effect.flip(runProgram(sh("cat /dev/zero")))
      expect(message).toBe("it printed more than 268435456 bytes")
    })
  )

  it.live("runs in a session of its own", () =>
    Effect.gen(function* () {
      const { stdout } = yield* runProgram(sh("cut -d ' ' -f 1,6 /proc/$$/stat"))
      const [pid, session] = stdout.toString().trim().split(" ")
      expect(session).toBe(pid)
    })
  )

  it.scopedLive("is not waited for beyond its end by what still holds its output", () =>
    Effect.gen(function* () {
      const home = yield* directory
      const { millis, value } = yield* timed(runProgram(sh(`echo out; sleep 60 & echo $! > '${home}/pid'`)))
      process.kill(Number(read(`${home}/pid`)))
      expect(value).toEqual({ code: 0, stdout: Buffer.from("out\n"), stderr: "" })
      expect(millis).toBeLessThan(30_000)
    })
  )

  for (const [how, trap] of [
    ["ended by SIGTERM", ""],
    ["killed when it ignores SIGTERM", "trap '' TERM; "]
  ] as const) {
    it.scopedLive(`is ${how} after an interruption, with all that it has started`, () =>
      Effect.gen(function* () {
        const home = yield* directory
        const [lock, ready] = [join(home, "lock"), join(home, "ready")]
        const script = `${trap}${hold}sleep 60 & (${trap}sleep 60) & touch '${ready}'; while :; do sleep 60; done`
        const fiber = yield* Effect.fork(runProgram(sh(script, { LOCK: lock })))
        yield* eventually("it runs", () => existsSync(ready) && isHeld(lock))
        const { millis } = yield* timed(Fiber.interrupt(fiber))
        expect(isHeld(lock)).toBe(false)
        // By themselves they would end after a minute.
        expect(millis).toBeLessThan(30_000)
      })
    )
  }

  it.scopedLive("that ends on SIGTERM leaves no child behind that ignores it", () =>
    Effect.gen(function* () {
      const home = yield* directory
      const file = join(home, "pid")
      const fiber = yield* Effect.fork(
        runProgram(sh(`sh -c 'trap "" TERM; echo $$ > "${file}"; while :; do sleep 60; done' & wait`))
      )
      yield* eventually("it runs", () => read(file).endsWith("\n"))
      yield* Fiber.interrupt(fiber)
      expect(isAlive(Number(read(file)))).toBe(false)
    })
  )

  it.scopedLive(
    "is over after an interruption at any moment",
    () =>
      Effect.gen(function* () {
        const lock = join(yield* directory, "lock")
        for (let i = 0; i < 60; i++) {
          const fiber = yield* Effect.fork(runProgram(sh(`${hold}exec sleep 60`, { LOCK: lock })))
          for (let turn = 0; turn < i; turn++) yield* Effect.promise(() => new Promise(setImmediate))
          yield* Fiber.interrupt(fiber)
          expect(isHeld(lock)).toBe(false)
        }
      }),
    300_000
  )

  it.scopedLive("that takes too long is ended, and fails with that reason", () =>
    Effect.gen(function* () {
      const lock = join(yield* directory, "lock")
      const slow = { ...sh(`${hold}sleep 60`, { LOCK: lock }), limit: Duration.millis(300) }
      expect((yield* Effect.flip(runProgram(slow))).message).toBe("it took longer than 300ms and was ended")
      expect(isHeld(lock)).toBe(false)
    })
  )

  it.scopedLive("is not ended for an hour in which this process was paused", () =>
    Effect.gen(function* () {
      const go = join(yield* directory, "go")
      const real = yield* RealClock
      let [gap, sleeps] = [0, 0]
      const paused = RealClock.of({
        ...real,
        now: Effect.map(real.now, (now) => now + gap),
        sleep: (millis) =>
          Effect.zipRight(
            real.sleep(Math.min(millis, 20)),
            Effect.sync(() => {
              if (++sleeps === 2) gap = 3_600_000
              if (sleeps === 10) writeFileSync(go, "")
            })
          )
      })
      const result = yield* runProgram({
        ...sh(`until test -e '${go}'; do sleep 0.01; done`),
        limit: Duration.minutes(10)
      }).pipe(Effect.provideService(RealClock, paused), Effect.option)
      expect(Option.map(result, ({ code }) => code)).toEqual(Option.some(0))
    })
  )
})

describe("a short program of a process that has no descriptor left", () => {
  it.scopedLive("fails with that reason, and the next one runs", () =>
    Effect.gen(function* () {
      const program = yield* bundle(yield* directory, fileURLToPath(new URL("outOfFiles.ts", import.meta.url)))
      const { code, stderr, stdout } = yield* runProgram(sh(`ulimit -n 128; exec '${process.execPath}' '${program}'`))
      expect(code, stderr).toBe(0)
      expect(JSON.parse(stdout.toString())).toEqual({ message: "this program has too many files open", code: 0 })
    })
  )
})
