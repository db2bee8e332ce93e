import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Scope, TestClock } from "effect"
import { existsSync, readdirSync, writeFileSync } from "node:fs"
import * as page from "../../page.js"

describe("port of the page", () => {
  it.scoped("is the one that the server listens on already", () =>
    Effect.gen(function* () {
      const world = yield* page.make({ port: 0 })
      const [{ origin } = {}] = world.changes
      expect(origin).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
      expect((yield* world.code).origin).toBe(origin)
    })
  )

  it.scoped("is not opened before the page is, and not changed if another program has taken it", () =>
    Effect.gen(function* () {
      const { directory, made } = yield* page.restarted(({ session }) => session)
      const address = new URL(made.origin).host
      const stop = yield* Scope.make()
      yield* Scope.extend(page.impostor(page.portOf(made.origin), []), stop)
      const next = yield* page.make({ directory })
      const message = `the page cannot be served on ${address}: listen EADDRINUSE: address already in use ${address}; free that port, or choose another one with: charlotte daemon restart --listen 127.0.0.1:0`
      expect(next.changes).toEqual([{ problem: message }])
      const code = { method: "POST", path: "/api/v1/session/code" }
      const refused = yield* next.bySocket(code)
      expect(refused).toMatchObject({ status: 503, json: { _tag: "PageUnavailable", address, message } })
      expect((yield* next.bySocket({ path: "/readyz" })).status).toBe(200)
      yield* Scope.close(stop, Exit.void)
      expect((yield* next.code).origin).toBe(made.origin)
      expect(next.changes.at(-1)).toEqual({ origin: made.origin })
    })
  )

  it.scoped("is opened once for pages that are opened at the same time", () =>
    Effect.gen(function* () {
      const world = yield* page.make()
      const codes = yield* Effect.all([world.code, world.code, world.code], { concurrency: "unbounded" })
      expect(new Set(codes.map(({ origin }) => origin)).size).toBe(1)
      expect(world.changes.length).toBe(1)
    })
  )
})

describe("file that leads a browser to the page", () => {
  const opening = (directory: string, id: string) => `${directory}/open-${id}.html`

  it.scoped("is removed when its code is used, after a minute, and when the server ends or starts", () =>
    Effect.gen(function* () {
      const world = yield* page.make()
      const [used, unused] = [yield* world.code, yield* world.code]
      for (const { id } of [used, unused]) writeFileSync(opening(world.directory, id), "")
      yield* world.exchange(used)
      expect(existsSync(opening(world.directory, used.id))).toBe(false)
      yield* TestClock.adjust("59 seconds")
      expect(existsSync(opening(world.directory, unused.id))).toBe(true)
      yield* TestClock.adjust("1 second")
      expect(existsSync(opening(world.directory, unused.id))).toBe(false)

      const { directory, made } = yield* page.restarted((first) =>
        Effect.tap(first.code, ({ id }) => Effect.sync(() => writeFileSync(opening(first.directory, id), "")))
      )
      expect(existsSync(opening(directory, made.id))).toBe(false)
      // Of a server that was killed.
      writeFileSync(opening(directory, "left"), "")
      writeFileSync(`${directory}/open-questions.txt`, "")
      yield* page.make({ directory })
      expect(readdirSync(directory).filter((name) => name.startsWith("open-"))).toEqual(["open-questions.txt"])
    })
  )
})
