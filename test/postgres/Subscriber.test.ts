/** Subscribers on one PostgreSQL database, each with connections of its own. */
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { Database, JobKind, RunStore, Subscriber } from "charlotte"
import { Effect, Exit, Layer, Queue, Schema, Scope } from "effect"
import * as TestDatabase from "./database.js"

class Note extends JobKind.Tag<Note>()("note", { config: Schema.Struct({ text: Schema.String }) }) {}

const notes = Note.layer({ run: ({ config: { text }, emit }) => emit({ type: "note.written", payload: text }) })

const storeOn = (url: string) => Layer.fresh(RunStore.layer.pipe(Layer.provideMerge(Database.layerPostgres({ url }))))

const noted = (text: string) =>
  Effect.gen(function* () {
    const all = yield* Note
    yield* all.await(yield* all.start({ text }))
  })

/** A subscriber on connections of its own, whose handler says which instance got what. */
const instance = (url: string, of: string, seen: Queue.Queue<string>) =>
  Subscriber.layer("s", { types: ["note.written"], from: "start" }, (received) =>
    Queue.offer(seen, received._tag === "Gap" ? "gap" : `${of} ${String(received.event.payload)}`)
  ).pipe(Layer.provide(storeOn(url)))

describe("subscribers of one name on PostgreSQL", () => {
  it.scopedLive("stand by for the live one, and continue where it has ended", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const seen = yield* Queue.unbounded<string>()
      const first = yield* Scope.make()
      const manager = yield* Layer.build(Layer.provide(notes, storeOn(url)))
      const note = (text: string) => Effect.provide(noted(text), manager)
      yield* Layer.buildWithScope(instance(url, "first", seen), first)
      yield* note("a")
      expect(yield* Queue.take(seen)).toBe("first a")
      yield* Layer.build(instance(url, "second", seen))
      yield* note("b")
      expect(yield* Queue.take(seen)).toBe("first b")
      yield* Scope.close(first, Exit.void)
      yield* note("c")
      expect(yield* Queue.take(seen)).toBe("second c")
      expect(yield* Queue.size(seen)).toBe(0)
    })
  )

  it.scopedLive("take the lease of one that no longer renews it, which then moves no cursor and stands by", () =>
    Effect.gen(function* () {
      const url = yield* TestDatabase.make
      const seen = yield* Queue.unbounded<string>()
      const services = yield* Layer.build(Layer.provideMerge(notes, storeOn(url)))
      const note = (text: string) => Effect.provide(noted(text), services)
      yield* Layer.build(instance(url, "first", seen))
      yield* note("a")
      expect(yield* Queue.take(seen)).toBe("first a")
      // As if another instance had taken the lease, and then had died.
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`UPDATE charlotte_subscribers SET holder = 'another',
          held_until = CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint) + 4000`
        yield* note("b")
        yield* Effect.repeat(Effect.delay(sql`SELECT holder FROM charlotte_subscribers`, 50), {
          until: ([row]) => row?.["holder"] !== "another"
        })
      }).pipe(Effect.provide(services))
      yield* note("c")
      const rest = yield* Effect.iterate("", {
        while: (last) => last !== "first c",
        body: () => Queue.take(seen)
      })
      expect(rest).toBe("first c")
    })
  )
})
