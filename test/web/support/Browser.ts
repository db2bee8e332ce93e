/** A real browser: Debian's Chromium, with a profile of its own that is removed at the end. */
import { Context, Effect, Layer } from "effect"
import { existsSync } from "node:fs"
import {
  type Browser as Chromium,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page
} from "playwright-core"

const executablePath = "/usr/bin/chromium"

const args = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // For what a heap holds after collection.
  "--js-flags=--expose-gc"
]

export class Browser extends Context.Tag("charlotte/test/web/Browser")<Browser, Chromium>() {}

const launch = Effect.suspend(() => {
  if (!existsSync(executablePath)) {
    return Effect.dieMessage(`${executablePath} is missing: run scripts/installPackage.sh chromium`)
  }
  return Effect.promise(() => chromium.launch({ executablePath, args }))
})

export const layer: Layer.Layer<Browser> = Layer.scoped(
  Browser,
  Effect.acquireRelease(launch, (browser) => Effect.promise(() => browser.close()))
)

/** Waits for what a browser does. */
export const act = <A>(action: () => Promise<A>): Effect.Effect<A> => Effect.promise(action)

/** Tabs of one profile, and what went wrong in any of them: scripts that threw, and what the security policy has stopped. */
export interface Profile {
  readonly context: BrowserContext
  readonly problems: ReadonlyArray<string>
  readonly tab: Effect.Effect<Page>
}

/** A connection that is refused while the server is away is no mistake of the page. */
const isExpected = (text: string): boolean => /Failed to load resource|net::ERR_/.test(text)

export const profile = (options: BrowserContextOptions = {}) =>
  Effect.gen(function* () {
    const browser = yield* Browser
    const context = yield* Effect.acquireRelease(
      act(() => browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })),
      (context) => act(() => context.close())
    )
    // The limit is for what hangs: a busy machine takes its time.
    context.setDefaultTimeout(120_000)
    const problems: Array<string> = []
    context.on("weberror", (error) => problems.push(error.error().message))
    context.on("console", (message) => {
      if (message.type() === "error" && !isExpected(message.text())) problems.push(message.text())
    })
    return { context, problems, tab: act(() => context.newPage()) } satisfies Profile
  })
