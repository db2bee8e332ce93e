/** Where a browser finds the page: at a server of Charlotte, or in an application, behind its login and perhaps a proxy. */
import type { JobConfig, JobId, JobManager } from "charlotte"
import { ScriptedOrchestrator } from "charlotte/testing"
import { Context, Effect, type Scope } from "effect"
import type { BrowserContextOptions } from "playwright-core"
import { inject } from "vitest"
import * as Mounted from "../../http/mounted.js"
import { act, type Browser, profile } from "./Browser.js"
import * as World from "./World.js"

/** What tests of the page need, wherever it is. Paths are those of a server of Charlotte. */
export interface Placed {
  readonly start: (
    config: typeof JobConfig.JobConfig.Encoded,
    options?: JobManager.StartOptions
  ) => Effect.Effect<JobId.JobId>
  readonly script: ScriptedOrchestrator.Service
  /** The address of a path. */
  readonly addressOf: (path: string) => Effect.Effect<string>
  readonly open: (
    path?: string,
    options?: BrowserContextOptions
  ) => Effect.Effect<World.Tab, never, Browser | Scope.Scope>
}

export interface Place {
  readonly name: string
  readonly make: (options?: { readonly maxJobs?: number }) => Effect.Effect<Placed, never, Scope.Scope>
}

export const server: Place = {
  name: "at a server of Charlotte",
  make: (options) =>
    Effect.map(World.make(options), ({ client, open, opening, script }) => ({
      start: (config, options) => Effect.orDie(client.start(config, options)),
      script,
      addressOf: (path) => Effect.map(opening(), (address) => new URL(path, address).href),
      open
    }))
}

/** In an application, the path of the page stands for `/jobs`. */
const below = (prefix: string, path: string): string => `${prefix}/${path.replace(/^\/jobs\/?/, "")}`

export const signIn = (origin: string, session: string, options: BrowserContextOptions = {}) =>
  Effect.gen(function* () {
    const browser = yield* profile(options)
    yield* act(() => browser.context.addCookies([{ name: "session", value: session, url: origin }]))
    return { ...browser, page: yield* browser.tab }
  })

const application = (name: string, path: `/${string}`, proxied?: string): Place => ({
  name,
  make: (options = {}) =>
    Effect.gen(function* () {
      const login = `${proxied ?? ""}/login`
      const { port, services } = yield* Mounted.make({ path, login, files: inject("page"), ...options })
      const served = proxied === undefined ? port : (yield* Mounted.proxy(proxied, { to: port })).port
      const origin = `http://127.0.0.1:${served}`
      const prefix = `${proxied ?? ""}${path === "/" ? "" : path}`
      const errands = Context.get(services, Mounted.Errand)
      const addressOf = (path: string) => `${origin}${below(prefix, path)}`
      return {
        start: (config, options) => Effect.orDie(errands.start(config, options)),
        script: Context.get(services, ScriptedOrchestrator.ScriptedOrchestrator),
        addressOf: (path) => Effect.succeed(addressOf(path)),
        open: (path = "/jobs", options) =>
          Effect.tap(signIn(origin, "ada", options), ({ page }) => act(() => page.goto(addressOf(path))))
      } satisfies Placed
    }).pipe(Effect.orDie)
})

export const applications: ReadonlyArray<Place> = [
  application("below a path of an application", "/a/b"),
  application("behind a proxy that removes its path", "/", "/a/b"),
  application("behind a proxy that removes the beginning of its path", "/jobs", "/a/b")
]

export const places: ReadonlyArray<Place> = [server, ...applications]
