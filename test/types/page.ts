/**
 * What must compile about the page of an application, and what must not: each line below `@ts-expect-error` is an error.
 */
// @effect-diagnostics missingEffectContext:off missingEffectError:off missingLayerContext:off
import * as HttpApiError from "@effect/platform/HttpApiError"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import { JobKind, JobManager, type RunStore } from "charlotte"
import { Page } from "charlotte/http"
import { Context, Effect, type Layer, Schema, type Scope } from "effect"

export class Email extends JobKind.Tag<Email>()("email", {
  config: Schema.Struct({ to: Schema.String, tenant: Schema.String }),
  signals: { approve: Schema.Struct({ until: Schema.Date }) },
  labels: ({ tenant }) => ({ tenant })
}) {}

export class Report extends JobKind.Tag<Report>()("report", { config: Schema.Struct({}) }) {}

/** The session of the application knows more of a person than the page needs. */
interface Person extends Page.Who {
  readonly tenant: string
}

export class Sessions extends Context.Tag("app/Sessions")<
  Sessions,
  { readonly current: Effect.Effect<Person, HttpApiError.Unauthorized, HttpServerRequest | Scope.Scope> }
>() {}

const authorize = Effect.flatMap(Sessions, ({ current }) => current)

type Services<L> = L extends Layer.Layer<infer _A, infer _E, infer R> ? R : never
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_: Equal<A, B>) => {}

/** It needs the producers of its kinds, the store, and what the session needs besides the request. */
export const page = Page.layer({ path: "/jobs", kinds: [Email, Report], authorize })
same<Services<typeof page>, JobKind.Producer<Email> | JobKind.Producer<Report> | RunStore.RunStore | Sessions>(true)
same<Page.Producers<typeof Email>, JobKind.Producer<Email>>(true)

/** `scope` gets what `authorize` returns. */
export const limited = Page.layer({
  path: "/a/b",
  kinds: [Email],
  authorize,
  login: "/login",
  origins: ["https://jobs.example.com"],
  scope: ({ tenant }) => ({ tenant })
})

/** Any error with that tag says that there is no session. */
class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", { why: Schema.String }) {}
const refusing: Effect.Effect<Page.Who, Unauthorized> = new Unauthorized({ why: "closed" })
export const closed = Page.layer({ path: "/", kinds: [Email], authorize: refusing })
same<Services<typeof closed>, JobKind.Producer<Email> | RunStore.RunStore>(true)

const ada = Effect.succeed({ by: "ada", can: "act" as const })

// @ts-expect-error -- a path begins with a slash
Page.layer({ path: "jobs", kinds: [Email], authorize: ada })
// @ts-expect-error -- without a session, everybody could act
Page.layer({ path: "/jobs", kinds: [Email] })
// @ts-expect-error -- nothing is recorded under no name
Page.layer({ path: "/jobs", kinds: [Email], authorize: Effect.succeed({ can: "act" as const }) })
// @ts-expect-error -- a person may read or act
Page.layer({ path: "/jobs", kinds: [Email], authorize: Effect.succeed({ by: "ada", can: "admin" as const }) })
// @ts-expect-error -- another error is none of an expired session
Page.layer({ path: "/jobs", kinds: [Email], authorize: Effect.zipRight(new HttpApiError.Conflict(), ada) })
// @ts-expect-error -- the session knows no such field
Page.layer({ path: "/jobs", kinds: [Email], authorize, scope: ({ team }) => ({ team }) })
// @ts-expect-error -- labels are texts
Page.layer({ path: "/jobs", kinds: [Email], authorize, scope: () => ({ tenant: 1 }) })
// @ts-expect-error -- jobs of tasks have no producer: their page is the daemon's
Page.layer({ path: "/jobs", kinds: [JobManager.JobManager], authorize: ada })
