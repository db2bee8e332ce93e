/** A server with the page as it is built, over a manager whose jobs do what a test says. */
import { JobManager, RunStore } from "charlotte"
import * as Http from "charlotte/http"
import { ScriptedOrchestrator, TestManager } from "charlotte/testing"
import { Context, Effect, Layer, type Scope } from "effect"
import type { BrowserContextOptions, Page } from "playwright-core"
import { inject } from "vitest"
import * as Server from "../../../src/tasks/http/Server.js"
import { send } from "../../http/requests.js"
import { token } from "../../http/world.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import { act, type Browser, profile, type Profile } from "./Browser.js"

export interface Tab extends Profile {
  readonly page: Page
}

export interface World {
  readonly directory: string
  readonly socket: string
  readonly client: Http.JobClient.Service
  readonly manager: Context.Tag.Service<JobManager.JobManager>
  readonly script: ScriptedOrchestrator.Service
  readonly store: Context.Tag.Service<RunStore.RunStore>
  /** An address that begins a session, as `charlotte open` makes them. */
  readonly opening: (path?: string) => Effect.Effect<string>
  /** A browser with the page open. */
  readonly open: (path?: string, options?: BrowserContextOptions) => Effect.Effect<Tab, never, Browser | Scope.Scope>
  /** How many event streams the server has open. */
  readonly streams: Effect.Effect<number>
}

const code = (socket: string): Effect.Effect<{ readonly origin: string; readonly code: string }> =>
  Effect.map(send({ socketPath: socket }, { method: "POST", path: "/api/v1/session/code" }), ({ text }) => {
    const { code, origin }: { code: string; origin: string } = JSON.parse(text)
    return { code, origin }
  })

/** The address that `charlotte open` leads a browser to. */
export const openingOf = (socket: string, path = "/jobs"): Effect.Effect<string> =>
  Effect.map(code(socket), ({ code, origin }) => `${origin}${path}#code=${code}`)

export const visit = (opening: Effect.Effect<string>, options: BrowserContextOptions = {}) =>
  Effect.gen(function* () {
    const browser = yield* profile(options)
    const page = yield* browser.tab
    const address = yield* opening
    yield* act(() => page.goto(address))
    return { ...browser, page } satisfies Tab
  })

/** The page as it is built, with its sessions in a directory. */
export const pageIn = (directory: string) => ({
  files: inject("page"),
  sessions: `${directory}/sessions.json`,
  directory,
  token: Effect.succeed(token),
  learn: () => {},
  reopen: true,
  onChange: () => Effect.void
})

/** A manager, its store, and what its jobs do. */
type Jobs = Layer.Layer.Success<ReturnType<typeof TestManager.layer>>

export interface Options extends JobManager.LayerOptions, ScriptedOrchestrator.Options {
  /** In memory when left out. */
  readonly jobs?: Layer.Layer<Jobs, unknown>
  readonly server?: Partial<Http.Server.Options>
}

export const make = ({ jobs, server, ...options }: Options = {}): Effect.Effect<World, never, Scope.Scope> =>
  Effect.gen(function* () {
    const directory = yield* TemporaryDirectory.make
    const socket = `${directory}/socket`
    const served = Server.listen({ listen: { socket }, drain: 200, ...server, page: pageIn(directory) })
    const manager = jobs ?? TestManager.layer({ stopGrace: 200, maxJobs: 8, ...options })
    const services = yield* Layer.build(Layer.provideMerge(served, manager))
    yield* Context.get(services, Server.Server).prepared
    const opening = (path = "/jobs") => openingOf(socket, path)
    return {
      directory,
      socket,
      client: yield* Http.JobClient.make({ socket }),
      manager: Context.get(services, JobManager.JobManager),
      script: Context.get(services, ScriptedOrchestrator.ScriptedOrchestrator),
      store: Context.get(services, RunStore.RunStore),
      opening,
      open: (path = "/jobs", options: BrowserContextOptions = {}) => visit(opening(path), options),
      streams: Effect.map(send({ socketPath: socket }, { path: "/metrics" }), ({ text }) =>
        Number(/^charlotte_streams (\d+)$/m.exec(text)?.[1])
      )
    } satisfies World
  }).pipe(Effect.orDie)
