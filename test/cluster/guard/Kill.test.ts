/**
 * Nodes that are killed or stand still, with stubborn processes, and what is left of these.
 */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { eventually, isAlive, isHeld, pause } from "../../process/workshop.js"
import { allGoneAfter, exited, gone, guardsOf, programs, startNode } from "./scene.js"

const kills = Number(process.env["CHARLOTTE_KILLS"] ?? 5)

const silence = 6_000

describe.runIf(process.platform === "linux")("the guard of a node", () => {
  it.scopedLive(
    `kills all processes of a node that is killed, with its process group, ${kills} times`,
    () =>
      Effect.gen(function* () {
        const built = yield* programs
        const figures: Array<number> = []
        for (let i = 0; i < kills; i++) {
          const node = yield* startNode(built, silence)
          // An end that was asked for in a way that reaches the whole group is not the guard's.
          for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.kill(node.guard, signal)
          figures.push(yield* allGoneAfter(node, () => process.kill(-node.pid, "SIGKILL")))
          yield* gone(node.guard)
        }
        const [median = 0] = figures.toSorted((a, b) => a - b).slice(Math.floor(kills / 2))
        process.stdout.write(
          `guard: after kill -9, all gone within ${Math.round(Math.max(...figures))} ms, half within ${Math.round(median)} ms\n`
        )
        expect(Math.max(...figures)).toBeLessThan(1_000)
      }),
    60_000 + kills * 20_000
  )

  it.scopedLive(
    "kills all processes of a node that stands still, and lets it start others once it continues",
    () =>
      Effect.gen(function* () {
        const node = yield* startNode(yield* programs, silence)
        yield* pause(2_000)
        expect(node.locks.map(isHeld)).toEqual(node.locks.map(() => true))
        const millis = yield* allGoneAfter(node, () => node.child.kill("SIGSTOP"))
        process.stdout.write(`guard: after SIGSTOP, all gone within ${Math.round(millis)} ms\n`)
        expect(millis).toBeGreaterThan(silence - 500)
        expect(millis).toBeLessThan(silence + 1_000)
        node.child.kill("SIGCONT")
        yield* eventually("the end of all runs", () => node.printed().includes("all processes have ended"))
        expect(isAlive(node.guard)).toBe(true)
        node.child.kill("SIGKILL")
        yield* gone(node.guard)
      }),
    300_000
  )

  it.scopedLive(
    "is replaced when it is killed, and the next one guards the same processes",
    () =>
      Effect.gen(function* () {
        const node = yield* startNode(yield* programs, silence)
        const since = performance.now()
        process.kill(node.guard, "SIGKILL")
        let next = 0
        yield* eventually("another guard", () => {
          next = guardsOf(node.pid).find((pid) => pid !== node.guard) ?? 0
          return next > 0
        })
        process.stdout.write(`guard: replaced within ${Math.round(performance.now() - since)} ms\n`)
        expect(node.locks.map(isHeld)).toEqual(node.locks.map(() => true))
        node.child.kill("SIGUSR2")
        yield* eventually("that it guards", () => node.printed().includes("guarded"))
        expect(yield* allGoneAfter(node, () => node.child.kill("SIGKILL"))).toBeLessThan(1_000)
        yield* gone(next)
      }),
    300_000
  )

  it.scopedLive(
    "ends with its node, which ends its processes by itself",
    () =>
      Effect.gen(function* () {
        const node = yield* startNode(yield* programs, silence)
        node.child.kill("SIGTERM")
        yield* exited(node.child)
        yield* gone(node.guard)
        expect(node.locks.map(isHeld)).toEqual(node.locks.map(() => false))
      }),
    300_000
  )
})
