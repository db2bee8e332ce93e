import { it } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Fiber, Scope } from "effect"
import * as fc from "fast-check"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect } from "vitest"
import type { Program } from "../../src/process/Shell.js"
import * as Shells from "../../src/process/Shells.js"
import { directory, eventually, hold, isAlive, isHeld, read, timed } from "./workshop.js"

const path = "/usr/local/bin:/usr/bin:/bin"

const program = (file: string, ...args: ReadonlyArray<string>): Program => ({
  file,
  args,
  cwd: "/",
  variables: {},
  limit: Duration.minutes(1)
})

const sh = (script: string, variables = {}): Program => ({ ...program("sh", "-c", script), variables })

/** Its own pid, and that of the shell that has started it. */
const pids = (shells: Shells.Shells) =>
  Effect.map(shells.run(sh("echo $$ $PPID")), ({ stdout }) => {
    const [own = 0, shell = 0] = stdout.toString().split(" ").map(Number)
    return { own, shell }
  })

/** Any text that an argument can be. */
const text = fc.string({ unit: "binary" }).map((text) => text.replaceAll("\0", ""))

describe("shells that stand by", () => {
  it.scopedLive("give what a program says, and its code", () =>
    Effect.gen(function* () {
      const shells = yield* Shells.make({ PATH: path })
      expect(yield* shells.run(sh("printf 'a\\0b'"))).toEqual({
        call: 0,
        code: 0,
        stdout: Buffer.from("a\0b"),
        stderr: ""
      })
      const failed = yield* shells.run(sh("echo out; echo err >&2; exit 3"))
      expect(failed).toEqual({ call: 0, code: 3, stdout: Buffer.from("out\n"), stderr: "err\n" })
      expect((yield* shells.run(sh("kill -9 $$"))).code).toBe(128 + 9)
      expect((yield* shells.run(program("/no/such/program"))).code).toBe(127)
    })
  )

  it.scopedLive("hand on any arguments, variables and input as they are, and interpret nothing of them", () =>
    Effect.gen(function* () {
      const shells = yield* Shells.make({ PATH: path })
      const home = yield* directory
      const show = join(home, "show")
      writeFileSync(show, '#!/bin/sh\nprintf \'%s|\' "$@" "$TOLD"; cat\n', { mode: 0o755 })
      const check = (args: ReadonlyArray<string>, told: string, input: string) =>
        Effect.map(shells.run({ ...program(show, ...args), variables: { TOLD: told }, input }), ({ code, stdout }) => {
          expect(code).toBe(0)
          expect(stdout.toString()).toBe(`${[...args, told].join("|")}|${input}`)
        })
      const property = fc.asyncProperty(
        fc.array(text, { maxLength: 4 }),
        text,
        fc.string({ unit: "binary" }),
        (...given) => Effect.runPromise(check(...given))
      )
      yield* Effect.promise(() => fc.assert(property, { numRuns: 200 }))
      yield* check(["$(touch x)", "`x`", "'", "\\", "\n", "%s", "-n", "", "*"], "it's $HOME", "\0\\0001\\c%b'\n")
      yield* check([], "", "x".repeat(1_000_000))
    })
  )

  it.scopedLive("make several calls of a program, up to one that fails", () =>
    Effect.gen(function* () {
      const shells = yield* Shells.make({ PATH: path })
      const file = join(yield* directory, "said")
      const call = (script: string, input?: string) => ({ args: ["-c", script], input })
      const three = {
        ...sh("cat; echo last"),
        first: [call(`echo one; cat >${file}`, "fed\0to it"), call("echo two")],
        input: "its own "
      }
      expect(yield* shells.run(three)).toEqual({
        call: 2,
        code: 0,
        stdout: Buffer.from("its own last\n"),
        stderr: ""
      })
      expect(readFileSync(file, "utf8")).toBe("fed\0to it")
      const cut = { ...sh(`rm ${file}`), first: [call("true"), call("echo out; echo err >&2; exit 4"), call("true")] }
      expect(yield* shells.run(cut)).toEqual({ call: 1, code: 4, stdout: Buffer.from(""), stderr: "err\n" })
      expect(existsSync(file)).toBe(true)
    })
  )

  it.scopedLive("say of a directory that cannot be entered that nothing ran", () =>
    Effect.gen(function* () {
      const shells = yield* Shells.make({ PATH: path })
      const told = yield* Effect.flip(shells.run({ ...program("true"), cwd: "/no/such/directory" }))
      expect(told.message).toContain("/no/such/directory")
    })
  )

  it.scopedLive("refuse a NUL in what no program can be given with one", () =>
    Effect.gen(function* () {
      const shells = yield* Shells.make({ PATH: path })
      for (const bad of [program("echo", "a\0b"), program("a\0b"), { ...program("true"), cwd: "/\0" }])
        expect((yield* Effect.flip(shells.run(bad))).message).toBe("a NUL character cannot be handed on")
      expect((yield* shells.run(program("true"))).code).toBe(0)
    })
  )

  it.scopedLive("give to each program its own variables, and to none those of this process", () =>
    Effect.gen(function* () {
      const shells = yield* Shells.make({ PATH: path, ALL: "1" })
      const names = (variables: Readonly<Record<string, string>>) =>
        Effect.map(shells.run({ ...program("env"), variables }), ({ stdout }) =>
          stdout
            .toString()
            .split("\n")
            .filter((line) => /^(?!PWD=|OLDPWD=|SHLVL=|_=)./.test(line))
            .toSorted()
        )
      expect(yield* names({ OWN: "2" })).toEqual(["ALL=1", "OWN=2", `PATH=${path}`])
      expect(yield* names({})).toEqual(["ALL=1", `PATH=${path}`])
    })
  )

  it.scopedLive("tell the errors of the program that has failed, and of none before it", () =>
    Effect.gen(function* () {
      const shells = yield* Shells.make({ PATH: path })
      for (let i = 0; i < 50; i++) {
        yield* shells.run(sh("echo before >&2"))
        expect((yield* shells.run(sh(`echo this ${i} >&2; exit 1`))).stderr).toBe(`this ${i}\n`)
      }
      const long = yield* shells.run(sh("head -c 1000000 /dev/zero | tr '\\0' x >&2; echo end >&2; exit 1"))
      expect(long.stderr).toMatch(/^x{10000,}end\n$/)
    })
  )

  it.scopedLive("take what is large, and whatever number at once", () =>
    Effect.gen(function* () {
      const shells = yield* Shells.make({ PATH: path })
      const large = sh("head -c 20000000 /dev/zero")
      const sizes = yield* Effect.all([large, large, large, large].map(shells.run), { concurrency: "unbounded" })
      expect(sizes.map(({ stdout }) => stdout.length)).toEqual([2e7, 2e7, 2e7, 2e7])
    })
  )

  it.scopedLive("are used again, and go when the scope closes", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const shells = yield* Scope.extend(Shells.make({ PATH: path }), scope)
      const first = yield* pids(shells)
      const second = yield* pids(shells)
      expect(second.shell).toBe(first.shell)
      expect(second.own).not.toBe(first.own)
      expect(isAlive(first.shell)).toBe(true)
      yield* Scope.close(scope, Exit.void)
      expect(isAlive(first.shell)).toBe(false)
    })
  )

  it.scopedLive("are in sessions of their own", () =>
    Effect.gen(function* () {
      const shells = yield* Shells.make({ PATH: path })
      const { stdout } = yield* shells.run(sh("cut -d ' ' -f 4,6 /proc/$$/stat"))
      const [parent, session] = stdout.toString().trim().split(" ")
      expect(session).toBe(parent)
      expect(session).not.toBe(readFileSync("/proc/self/stat", "utf8").split(" ")[5])
    })
  )

  const stubborn = "trap '' TERM; "
  for (const [how, trap] of [
    ["told to end", ""],
    ["killed when it does not end", stubborn]
  ] as const) {
    it.scopedLive(`with an interruption, a program is ${how}, and with it all that it has started`, () =>
      Effect.gen(function* () {
        const home = yield* directory
        const [lock, ready] = [join(home, "lock"), join(home, "ready")]
        const shells = yield* Shells.make({ PATH: path })
        const script = `${trap}${hold}sleep 60 & (${trap}sleep 60) & touch '${ready}.' && mv '${ready}.' '${ready}'; while :; do sleep 60; done`
        const fiber = yield* Effect.fork(shells.run(sh(`echo > '${ready}.pid'; ${script}`, { LOCK: lock })))
        yield* eventually("it runs", () => isHeld(lock) && read(`${ready}.pid`) !== "")
        const { millis } = yield* timed(Fiber.interrupt(fiber))
        expect(isHeld(lock)).toBe(false)
        expect(millis).toBeLessThan(5_000)
        expect((yield* shells.run(program("true"))).code).toBe(0)
      })
    )
  }

  it.scopedLive(
    "with an interruption at any moment, nothing is left running and nothing hangs",
    () =>
      Effect.gen(function* () {
        const home = yield* directory
        const lock = join(home, "lock")
        const shells = yield* Shells.make({ PATH: path })
        for (let i = 0; i < 60; i++) {
          const fiber = yield* Effect.fork(shells.run(sh(`${hold}exec sleep 60`, { LOCK: lock })))
          for (let turn = 0; turn < i; turn++) yield* Effect.promise(() => new Promise(setImmediate))
          yield* Fiber.interrupt(fiber)
          expect(isHeld(lock)).toBe(false)
        }
      }),
    60_000
  )

  it.scopedLive("a program that takes too long is ended, and is said to be", () =>
    Effect.gen(function* () {
      const home = yield* directory
      const lock = join(home, "lock")
      const shells = yield* Shells.make({ PATH: path })
      const slow = { ...sh(`${hold}sleep 60`, { LOCK: lock }), limit: Duration.millis(300) }
      const told = yield* Effect.flip(shells.run(slow))
      expect(told.message).toBe("it took longer than 300ms and was ended")
      expect(isHeld(lock)).toBe(false)
    })
  )

  it.scopedLive(
    "when a shell is killed by somebody else, the program is waited for, and another shell takes its place",
    () =>
      Effect.gen(function* () {
        const home = yield* directory
        const shells = yield* Shells.make({ PATH: path })
        const { shell } = yield* pids(shells)
        const ended = yield* Deferred.make<string>()
        const running = Effect.flip(shells.run(sh(`touch '${home}/runs'; sleep 0.5; touch '${home}/over'`)))
        yield* Effect.fork(Effect.flatMap(running, ({ message }) => Deferred.succeed(ended, message)))
        yield* eventually("it runs", () => existsSync(`${home}/runs`))
        process.kill(shell, "SIGKILL")
        expect(yield* Deferred.await(ended)).toBe("the shell that runs it ended with SIGKILL")
        expect(existsSync(`${home}/over`)).toBe(true)
        expect((yield* pids(shells)).shell).not.toBe(shell)
      })
  )
})
