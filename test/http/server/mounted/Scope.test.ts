/**
 * Ways by which a reader could change something, or a person see or change the jobs of another tenant: none of them works, and none
 * tells a job of another tenant from a job that does not exist.
 */
import { describe, expect, it } from "@effect/vitest"
import { JobId, RunStore } from "charlotte"
import { ScriptedOrchestrator, Step } from "charlotte/testing"
import { Context, Effect, Logger, Option, Schema, Stream } from "effect"
import { unknownId } from "../../../support/jobs.js"
import * as eventSource from "../../eventSource.js"
import { acting, Errand, errandOf, make, type Options } from "../../mounted.js"
import * as requests from "../../requests.js"

/** In all that is recorded of the jobs of the other tenant. */
const secret = "secretofbolt"

const decodePage = Schema.decodeUnknown(
  Schema.Struct({ jobs: Schema.Array(Schema.Struct({ id: Schema.String })), next: Schema.optional(Schema.String) })
)
const decodeSubmitted = Schema.decodeUnknown(Schema.Struct({ id: JobId.JobId }))

interface Ids {
  /** A running job of the visitor's tenant. */
  readonly own: JobId.JobId
  /** A failed one. */
  readonly failed: JobId.JobId
  /** A running job of the other tenant. */
  readonly other: JobId.JobId
  /** A failed one. */
  readonly otherFailed: JobId.JobId
}

const world = (options: Options = {}) =>
  Effect.gen(function* () {
    const app = yield* make({ isScoped: true, ...options })
    const errands = Context.get(app.services, Errand)
    const script = Context.get(app.services, ScriptedOrchestrator.ScriptedOrchestrator)
    const store = Context.get(app.services, RunStore.RunStore)
    const start = (tenant: string, tasksDir: string, key?: string) =>
      errands.start({ ...errandOf(tenant), tasksDir }, { ...(key !== undefined && { key }) })
    const fail = (id: JobId.JobId, message: string) =>
      Effect.zipRight(script.send(id, Step.fail({ message })), errands.await(id))
    const ids: Ids = {
      own: yield* start("acme", "own"),
      failed: yield* start("acme", "own"),
      other: yield* start("bolt", secret),
      otherFailed: yield* start("bolt", secret)
    }
    yield* fail(ids.failed, "no")
    yield* fail(ids.otherFailed, secret)
    const stateOf = (id: JobId.JobId) =>
      Effect.all({ run: store.get(id), events: Effect.map(store.lifecycle(id), (events) => events.length) })
    /** All that is recorded. */
    const state = Effect.gen(function* () {
      const runs = yield* store.list()
      return yield* Effect.forEach(runs, ({ id }) => stateOf(id))
    })
    return { ...app, errands, fail, ids, script, start, state, store }
  })

const post = (path: string, body?: unknown, method = "POST"): requests.Sent => ({
  method,
  path,
  headers: acting,
  ...(body !== undefined && { body: JSON.stringify(body) })
})

/** What acts on a job. */
const actsOn = (id: string): { readonly [title: string]: requests.Sent } => ({
  "stops it": post(`/jobs/api/v1/jobs/${id}/stop`),
  "stops it with no grace": post(`/jobs/api/v1/jobs/${id}/stop?grace=0`),
  "resumes it": post(`/jobs/api/v1/jobs/${id}/resume`),
  "retries it": post(`/jobs/api/v1/jobs/${id}/retry`),
  "retries it again and fresh": post(`/jobs/api/v1/jobs/${id}/retry?again=true&fresh=true&by=bea`),
  "sends it a signal": post(`/jobs/api/v1/jobs/${id}/signals/approve`, { by: "bea", payload: 1 }),
  "pins it": post(`/jobs/api/v1/jobs/${id}/pin`),
  "unpins it": post(`/jobs/api/v1/jobs/${id}/pin`, undefined, "DELETE")
})

const all = {
  "retries all that failed": post("/jobs/api/v1/jobs/retry", { kind: "tasks", status: "failed" }),
  "retries all that a search finds": post("/jobs/api/v1/jobs/retry", { kind: "tasks", q: "own" }),
  "stops all": post("/jobs/api/v1/jobs/stop", { all: true }),
  "prunes all": post("/jobs/api/v1/jobs/prune", {}),
  "shuts down": post("/jobs/api/v1/shutdown")
}

describe("a reader cannot change anything by a request that", () => {
  const ways = {
    ...actsOn("OWN"),
    ...Object.fromEntries(
      Object.entries(actsOn("FAILED")).map(([title, sent]) => [`${title}, after it has failed`, sent])
    ),
    ...all,
    "overrides its method by a header": {
      path: "/jobs/api/v1/jobs/OWN/stop",
      headers: { ...acting, "x-http-method-override": "POST" }
    },
    "overrides its method by the query": { path: "/jobs/api/v1/jobs/OWN/stop?_method=POST", headers: acting },
    "claims to come from a person who may act": {
      ...post("/jobs/api/v1/jobs/OWN/stop"),
      headers: { ...acting, "x-forwarded-user": "ada", "remote-user": "ada", authorization: "Bearer ada", can: "act" }
    },
    "puts a doubled slash into the path": post("/jobs//api/v1/jobs/OWN/stop"),
    "encodes the path": post("/jobs/%61pi/v1/jobs/OWN/%73top")
  } as const satisfies { readonly [title: string]: requests.Sent }

  for (const [title, sent] of Object.entries<requests.Sent>(ways)) {
    it.scopedLive(title, () =>
      Effect.gen(function* () {
        const { as, ids, state } = yield* world()
        const before = yield* state
        const path = sent.path.replace("OWN", ids.own).replace("FAILED", ids.failed)
        const { status } = yield* as("rob", { ...sent, path })
        expect([403, 404]).toContain(status)
        expect(yield* state).toEqual(before)
      })
    )
  }
})

describe("a job of another tenant is as if it did not exist for a person who", () => {
  const ways = (id: string): { readonly [title: string]: requests.Sent } => ({
    ...actsOn(id),
    "gets it": { path: `/jobs/api/v1/jobs/${id}` },
    "gets a step of it": { path: `/jobs/api/v1/jobs/${id}/steps/-?name=mail` },
    "exports it": { path: `/jobs/api/v1/jobs/${id}/export` },
    "follows its events": { path: `/jobs/api/v1/jobs/${id}/events` },
    "follows its events from a position": { path: `/jobs/api/v1/jobs/${id}/events`, headers: { "last-event-id": "1" } },
    "follows its events from one that it does not have": { path: `/jobs/api/v1/jobs/${id}/events?after=99` }
  })

  for (const title of Object.keys(ways(unknownId))) {
    it.scopedLive(title, () =>
      Effect.gen(function* () {
        const { as, ids, state } = yield* world()
        const before = yield* state
        const unknown = ways(unknownId)[title]
        if (unknown === undefined) throw new Error(title)
        const expected = yield* as("ada", unknown)
        expect(expected).toMatchObject({ status: 404, json: { _tag: "JobNotFound" } })
        for (const id of [ids.other, ids.otherFailed]) {
          const sent = ways(id)[title]
          if (sent === undefined) throw new Error(title)
          const { headers, status, text } = yield* as("ada", sent)
          expect({ status, text }).toEqual({ status: 404, text: expected.text.replaceAll(unknownId, id) })
          expect(Object.keys(headers).sort()).toEqual(Object.keys(expected.headers).sort())
        }
        expect(yield* state).toEqual(before)
      })
    )
  }
})

describe("no list or search of a person has a job of another tenant", () => {
  const queries = [
    "",
    "label=tenant%3Dbolt",
    "label=tenant%3Dacme&label=tenant%3Dbolt",
    "label=tenant%3Dbolt&label=tenant%3Dacme",
    `q=${secret}`,
    `q=${secret}&status=failed`,
    "q=tenant",
    "kind=tasks",
    "status=failed",
    "status=failed&retried=false",
    "status=running&limit=1",
    "status=pending&kind=tasks&order=queue",
    "limit=1",
    "limit=1&before=7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
    "label=__proto__%3Dx",
    "label=constructor%3Dx"
  ]
  for (const query of queries) {
    it.scopedLive(`with the query ${query}`, () =>
      Effect.gen(function* () {
        const { as, ids } = yield* world()
        let before = ""
        const seen = new Set<string>()
        do {
          const { json, status, text } = yield* as("ada", { path: `/jobs/api/v1/jobs?${query}${before}` })
          expect(status).toBe(200)
          for (const hidden of [ids.other, ids.otherFailed, query.includes(secret) ? "bolt" : secret]) {
            expect(text).not.toContain(hidden)
          }
          const page = yield* decodePage(json)
          for (const { id } of page.jobs) seen.add(id)
          before = page.next === undefined || query.includes("before") ? "" : `&before=${page.next}`
        } while (before !== "")
        expect([...seen].every((id) => id === ids.own || id === ids.failed)).toBe(true)
      })
    )
  }
})

describe("a person who", () => {
  it.scopedLive("filters by labels, gets the own jobs with these", () =>
    Effect.gen(function* () {
      const { as, ids } = yield* world()
      const found = (label: string) =>
        Effect.flatMap(as("ada", { path: `/jobs/api/v1/jobs?label=${encodeURIComponent(label)}` }), ({ json }) =>
          Effect.map(decodePage(json), ({ jobs }) => jobs.map(({ id }) => id).sort())
        )
      expect(yield* found("tenant=acme")).toEqual([ids.own, ids.failed].sort())
      expect(yield* found("topic=none")).toEqual([])
    })
  )

  it.scopedLive("retries all that failed, with whatever labels, retries no job of another tenant", () =>
    Effect.gen(function* () {
      const { as, ids, store } = yield* world()
      const retry = (body: object) => as("ada", post("/jobs/api/v1/jobs/retry", { kind: "tasks", by: "bea", ...body }))
      for (const body of [{ labels: { tenant: "bolt" } }, { q: secret }, { status: "cancelled" }]) {
        expect(yield* retry(body)).toMatchObject({ status: 200, json: { retried: 0 } })
      }
      const retried = yield* retry({ status: "failed" })
      expect(retried).toMatchObject({ json: { retried: 1, refused: 0, last: ids.failed } })
      const others = yield* store.list({ labels: { tenant: "bolt" } })
      expect(others.map(({ id }) => id).sort()).toEqual([ids.other, ids.otherFailed].sort())
    })
  )

  it.scopedLive("follows all events, gets those of the own jobs only", () =>
    Effect.gen(function* () {
      const { ids, script, where } = yield* world()
      const response = yield* requests.open(where, {
        path: "/jobs/api/v1/events?after=0",
        headers: { cookie: "session=ada" }
      })
      yield* script.send(ids.other, Step.emit({ type: "other.event", payload: { secret } }))
      yield* script.send(ids.own, Step.emit({ type: "own.event" }))
      const data = yield* eventSource.frames(response).pipe(
        Stream.filterMap(({ data }) => Option.fromNullable(data)),
        Stream.takeUntil((data) => data.includes("own.event")),
        Stream.runCollect
      )
      const text = [...data].join("\n")
      for (const hidden of [ids.other, ids.otherFailed, secret, "bolt"]) expect(text).not.toContain(hidden)
      expect(text).toContain(ids.failed)
    })
  )

  it.scopedLive("has a key that a job of another tenant holds learns only that it is held", () =>
    Effect.gen(function* () {
      const { as, errands, fail, ids, start } = yield* world()
      const failed = yield* start("acme", "own", "shared")
      yield* fail(failed, "no")
      const holder = yield* start("bolt", secret, "shared")
      const waiting = yield* errands.start(errandOf("acme"), { key: "shared", whenKeyTaken: "queue" })
      const shown = yield* as("ada", { path: `/jobs/api/v1/jobs/${waiting}` })
      expect(shown).toMatchObject({ status: 200, json: { status: "pending" } })
      const one = yield* as("ada", post(`/jobs/api/v1/jobs/${failed}/retry`))
      expect(one).toMatchObject({ status: 409, json: { _tag: "NotRetryable" } })
      const many = yield* as("ada", post("/jobs/api/v1/jobs/retry", { kind: "tasks", status: "failed" }))
      for (const { text } of [shown, one, many]) {
        for (const hidden of [holder, ids.other, secret, "bolt"]) expect(text).not.toContain(hidden)
      }
    })
  )

  it.scopedLive("acts is recorded under the name that the application knows, whatever the request claims", () =>
    Effect.gen(function* () {
      const { as, ids, store } = yield* world()
      const retried = yield* as("ada", post(`/jobs/api/v1/jobs/${ids.failed}/retry?by=bea`))
      const { id } = yield* decodeSubmitted(retried.json)
      const sent = yield* as("ada", post(`/jobs/api/v1/jobs/${ids.own}/signals/go`, { by: "bea", payload: 1 }))
      expect(sent).toMatchObject({ status: 204 })
      const { text } = yield* as("ada", { path: `/jobs/api/v1/jobs/${ids.own}/export` })
      expect(text).toContain('"by":"ada"')
      expect(text).not.toContain('"by":"bea"')
      const [queued] = yield* store.lifecycle(id)
      expect(queued?.payload).toMatchObject({ by: "ada", retryOf: ids.failed })
    })
  )
})

class Labels {
  readonly tenant = "acme"
}

describe("a scope that says nothing that can be followed", () => {
  const wrong: ReadonlyArray<unknown> = [
    ...[undefined, null, "", "acme", 1, true, {}, [], ["acme"], { tenant: undefined }, { tenant: 7 }],
    ...[new Map([["tenant", "acme"]]), new Set(["acme"]), Promise.resolve({ tenant: "acme" }), new Labels()],
    ...[Effect.succeed({ tenant: "acme" }), () => ({ tenant: "acme" }), new Proxy(new Labels(), {})]
  ]

  it.scopedLive("refuses the person, whatever is asked, and says so once in the log", () =>
    Effect.gen(function* () {
      const warnings: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => {
        if (logLevel._tag === "Warning") warnings.push(String(message))
      })
      let answer: unknown
      // oxlint-disable-next-line typescript/consistent-type-assertions -- what an application in JavaScript may return
      const { as, ids } = yield* world({ isScoped: false, scope: () => answer as "all" }).pipe(
        Effect.provide(Logger.replace(Logger.defaultLogger, logger))
      )
      for (answer of wrong)
        for (const path of ["/jobs", "/jobs/api/v1/jobs", `/jobs/api/v1/jobs/${ids.other}`, "/jobs/api/v1/events"])
          expect([answer, path, (yield* as("ada", { path })).status]).toEqual([answer, path, 403])
      expect(warnings.filter((warning) => warning.includes("the scope of the page /jobs"))).toHaveLength(1)

      answer = "all"
      const all = yield* as("ada", { path: "/jobs/api/v1/jobs" })
      expect((yield* decodePage(all.json)).jobs).toHaveLength(4)
      answer = { tenant: "acme" }
      const own = yield* as("ada", { path: "/jobs/api/v1/jobs" })
      expect((yield* decodePage(own.json)).jobs).toHaveLength(2)
    })
  )
})
