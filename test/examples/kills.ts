/** The web process and the worker of `examples/app` are killed in turn while orders are placed: none is lost, and none doubled. */
import { expect } from "@effect/vitest"
import type * as SqlClient from "@effect/sql/SqlClient"
import { Runs, RunStore } from "charlotte"
import { Effect, Layer, Random } from "effect"
import { mkdirSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { poll } from "../../src/internal/RealClock.js"
import * as Audit from "../../src/store/Audit.js"
import * as Shop from "./Shop.js"

const rounds = 6
const ordersPerRound = 8

const ordered = (text: string) => Number(/order (\d+)/.exec(text)?.[1])

export const scene = <E>(
  variables: Shop.Variables,
  database: (directory: string) => Layer.Layer<SqlClient.SqlClient, E>
) =>
  Effect.gen(function* () {
    const { directory, send, web, worker } = yield* Shop.start(variables)
    const login = yield* send("POST", "/login", { body: "name=ada&password=countess", headers: form })
    expect([login.status, login.headers.get("location")]).toEqual([303, "/jobs"])
    const cookie = login.headers.getSetCookie().map((cookie) => cookie.split(";", 1)[0] ?? "")[0] ?? ""
    const headers = { cookie }
    const json = { cookie, "content-type": "application/json" }

    const place = (number: number) =>
      Effect.gen(function* () {
        const body = JSON.stringify({ customer: `${number}@example.com`, cents: 100 })
        const response = yield* send("PUT", `/orders/${number}`, { body, headers: json })
        expect(response.status, yield* Effect.promise(() => response.text())).toBe(200)
      })

    const day = "2999-12-31"
    expect((yield* send("PUT", `/reports/${day}`, { headers })).status).toBe(200)

    for (let round = 0; round < rounds; round++) {
      const numbers = Array.from({ length: ordersPerRound }, (_, i) => round * ordersPerRound + i + 1)
      const pause = yield* Random.nextIntBetween(0, 500)
      const kill = Effect.delay((round % 2 === 0 ? worker : web).restart, pause)
      yield* Effect.all([Effect.forEach(numbers, place, { concurrency: 4, discard: true }), kill], { concurrency: 2 })
      // Until now each attempt has failed.
      if (round === 1) {
        const listed = Effect.flatMap(send("GET", "/jobs/api/v1/jobs?kind=receipt", { headers }), (response) =>
          Effect.promise(() => response.text())
        )
        yield* poll(listed, { until: (text) => /"tries":[1-9]/.test(text), pause: 50, atMost: "2 minutes" })
        mkdirSync(join(directory, "outbox"))
      }
    }
    const all = Array.from({ length: rounds * ordersPerRound }, (_, i) => i + 1)
    const statuses = yield* Effect.forEach(all, (number) =>
      Effect.flatMap(send("GET", `/orders/${number}/receipt`, { headers }), (response) =>
        Effect.promise(() => response.json())
      )
    )
    expect(statuses).toEqual(all.map(() => ({ status: "completed" })))
    const messages = readdirSync(join(directory, "outbox")).map((name) =>
      ordered(readFileSync(join(directory, "outbox", name), "utf8"))
    )
    expect(messages.sort((a, b) => a - b)).toEqual(all)

    expect((yield* send("POST", `/reports/${day}/approval`, { headers })).status).toBe(204)
    expect((yield* send("GET", "/jobs", { headers })).status).toBe(200)
    yield* Effect.gen(function* () {
      const runs = yield* Runs.Runs
      const receipts = yield* runs.list({ kind: "receipt", limit: 1_000 })
      expect(receipts.map(({ status }) => status)).toEqual(all.map(() => "completed"))
      expect(receipts.some(({ tries }) => (tries ?? 0) > 0)).toBe(true)
      expect((yield* Audit.run()).violations).toEqual([])
    }).pipe(Effect.provide(Layer.provideMerge(RunStore.layer, database(directory))))
  })

const form = { "content-type": "application/x-www-form-urlencoded" }
