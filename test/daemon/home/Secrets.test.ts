/** Which secrets a process knows. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { Database, RunStore } from "charlotte"
import { Effect, Layer, Option, Redacted } from "effect"
import { statSync, writeFileSync } from "node:fs"
import * as Configuration from "../../../src/daemon/config/Configuration.js"
import * as Home from "../../../src/daemon/home/Home.js"
import * as Secrets from "../../../src/daemon/home/Secrets.js"
import { ParentEnvironment, type Variables } from "../../../src/process/ChildEnvironment.js"
import { event, id, kind, newRun } from "../../store/runs.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"

interface World {
  readonly config?: string
  readonly token?: string
  readonly around?: Variables
}

/** A process in a home, with these variables around it. */
const within = ({ around = {}, config = "", token }: World) =>
  Layer.unwrapScoped(
    Effect.map(TemporaryDirectory.make, (home) => {
      writeFileSync(`${home}/config.yaml`, config)
      if (token !== undefined) writeFileSync(`${home}/token`, token, { mode: 0o644 })
      return Secrets.layer.pipe(
        Layer.provideMerge(Configuration.layer),
        Layer.provideMerge(Home.layerAt(home)),
        Layer.provideMerge(NodeContext.layer),
        Layer.provide(Layer.succeed(ParentEnvironment, around))
      )
    })
  )

/** A text, as it is told by such a process. */
const told = (text: string, world: World) =>
  Effect.provide(
    Effect.map(Secrets.Secrets, (secrets) => secrets.text(text)),
    within(world)
  )

describe("the secrets that a process knows", () => {
  it.scoped("include the variables that are passed on to agents and gates", () =>
    Effect.gen(function* () {
      const config = "agents: { mine: { command: [mine], env: [MINE] } }\ngates: { env: [DATABASE] }\n"
      const around = {
        MINE: "one-for-mine",
        DATABASE: "one-for-gates",
        OTHER: "none-of-ours",
        ANTHROPIC_API_KEY: "sk-12345678"
      }
      expect(yield* told("one-for-mine one-for-gates none-of-ours sk-12345678", { config, around })).toBe(
        "[redacted] [redacted] none-of-ours [redacted]"
      )
    })
  )

  it.scoped("include variables whose names look like secrets", () =>
    Effect.gen(function* () {
      const secret = [
        "GITHUB_TOKEN",
        "npm_config__password",
        "AWS_SECRET_ACCESS_KEY",
        "MY_APIKEY",
        "DB_PASSWD",
        "TOKEN_2"
      ]
      const open = ["GOOGLE_APPLICATION_CREDENTIALS", "SECRETARY", "KEYBOARD", "TOKENIZERS_PARALLELISM", "HOME"]
      const around = Object.fromEntries([...secret, ...open].map((name) => [name, `value-of-${name}`]))
      const text = yield* told(Object.values(around).join(" "), { around })
      expect(text).toBe([...secret.map(() => "[redacted]"), ...open.map((name) => `value-of-${name}`)].join(" "))
    })
  )

  it.scoped("include only the password of a URL", () =>
    Effect.gen(function* () {
      const config = "gates: { env: [DATABASE_URL] }\n"
      const around = {
        HTTPS_PROXY: "http://me:proxy-pass-1@proxy.example:3128",
        ANTHROPIC_BASE_URL: "https://api.example/v1",
        DATABASE_URL: "postgres://me:data-pass-1@db.example/it"
      }
      const text =
        "proxy.example https://api.example/v1 proxy-pass-1 data-pass-1 db.example postgres://me:data-pass-1@db.example/it"
      expect(yield* told(text, { config, around })).toBe(
        "proxy.example https://api.example/v1 [redacted] [redacted] db.example [redacted]"
      )
    })
  )

  it.scoped("include the passwords of the database, wherever they stand", () =>
    Effect.gen(function* () {
      const config = "database: postgres://me:in-the-file-1@db.example/jobs\n"
      const around = { PGPASSWORD: "for-the-driver-1" }
      const text = "in-the-file-1 for-the-driver-1 in-a-variable-1 postgres://me@db.example/jobs"
      expect(yield* told(text, { config, around })).toBe(
        "[redacted] [redacted] in-a-variable-1 postgres://me@db.example/jobs"
      )
      const variable = { CHARLOTTE_DATABASE: "postgres://me:in-a-variable-1@db.example/jobs" }
      expect(yield* told(text, { around: variable })).toBe(
        "in-the-file-1 for-the-driver-1 [redacted] postgres://me@db.example/jobs"
      )
    })
  )

  it.scoped("include the token of the home, also one that is made later, and redact records", () =>
    Effect.gen(function* () {
      const token = "0123456789abcdefghijABCDEFGHIJ_-xyz"
      expect(yield* told(`it is ${token}`, { token: `${token}\n` })).toBe("it is [redacted]")

      yield* Effect.gen(function* () {
        const { text } = yield* Secrets.Secrets
        const store = yield* RunStore.RunStore
        const made = Redacted.value(yield* Secrets.token)
        expect(text(`it is ${made}`)).toBe("it is [redacted]")
        yield* store.create(newRun(1))
        yield* store.append({ jobId: id(1), attempt: 1, events: [event("x.told", { made })] })
        const page = yield* store.events({ kind, jobId: id(1), after: 1, limit: 1 })
        expect(Option.getOrUndefined(page)?.events[0]?.payload).toEqual({ made: "[redacted]" })
        const { token: path } = yield* Home.Home
        expect(statSync(path).mode & 0o777).toBe(0o600)
        // It is made once.
        expect(Redacted.value(yield* Secrets.token)).toBe(made)
      }).pipe(Effect.provide(Secrets.kept(RunStore.layerMemory).pipe(Layer.provideMerge(within({})))))
    })
  )

  it.scoped("are not found by a search in a run that was recorded without redaction", () =>
    Effect.gen(function* () {
      const filename = yield* TemporaryDirectory.file("charlotte.db")
      const store = RunStore.layer.pipe(Layer.provide(Database.layer({ filename })))
      const run = newRun(1, { config: { key: "sk-12345678", to: "ann" } })
      yield* Effect.provide(
        Effect.flatMap(RunStore.RunStore, ({ create }) => create(run)),
        store
      )
      const world = within({ around: { ANTHROPIC_API_KEY: "sk-12345678" } })
      yield* Effect.gen(function* () {
        const { list } = yield* RunStore.RunStore
        expect(yield* list({ q: "12345678" })).toEqual([])
        expect(yield* list({ q: "ann redacted" })).toMatchObject([{ id: id(1) }])
      }).pipe(Effect.provide(Layer.provide(Secrets.kept(Layer.fresh(store)), world)))
    })
  )
})
