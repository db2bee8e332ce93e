/**
 * Routes of the page's own files. They contain no data and need no token; the page requests its data with the session's token.
 */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Effect, type Layer } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { extname, join } from "node:path"
import { NoSuchRoute } from "../../contract/errors.js"

const contentTypes: { readonly [extension: string]: string } = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2"
}

/** The paths of bookmarks; the page shows the view for its address. */
const documents = ["/", "/jobs", "/jobs/:id", "/jobs/:id/diff", "/system"] as const

const documentPath = /^\/(?:jobs(?:\/[\w.-]+(?:\/diff)?)?|system)?$/
const assetPath = /^\/assets\/[\w.-]+$/

const pathOf = ({ url }: HttpServerRequest): string => url.split("?", 1)[0] ?? url

/** Whether the request is for a file of the page. */
export const isForPage = (request: HttpServerRequest): boolean => {
  const path = pathOf(request)
  return documentPath.test(path) || assetPath.test(path)
}

const missing = HttpServerResponse.text(
  "the page is not part of this installation; in a checkout, run: npm run build\n",
  {
    status: 404
  }
)

type File = HttpServerResponse.HttpServerResponse

export interface Files {
  /** The document, which is the same for all addresses. */
  readonly shell: string | undefined
  /** By their paths. */
  readonly assets: ReadonlyMap<string, File>
}

const fileOf = (path: string): ReadonlyArray<File> => {
  const contentType = contentTypes[extname(path)]
  return contentType === undefined ? [] : [HttpServerResponse.uint8Array(readFileSync(path), { contentType })]
}

/** The document of the page, which `change` adapts to where it is served. */
export const documentOf = ({ shell }: Files, change: (html: string) => string = (html) => html): File =>
  shell === undefined ? missing : HttpServerResponse.text(change(shell), { contentType: contentTypes[".html"] })

export const read = (directory: string): Effect.Effect<Files> =>
  Effect.try((): Files => {
    const assets = join(directory, "assets")
    return {
      shell: readFileSync(join(directory, "index.html"), "utf8"),
      assets: new Map(
        readdirSync(assets).flatMap((name) =>
          fileOf(join(assets, name)).map((file) => [`/assets/${name}`, file] as const)
        )
      )
    }
  }).pipe(
    Effect.tapError(({ error }) => Effect.logWarning("the files of the page cannot be read", error)),
    Effect.orElseSucceed((): Files => ({ shell: undefined, assets: new Map() }))
  )

/** Read when first requested, and cached: another version may replace the files while the server runs. */
export const layer = (directory: string): Layer.Layer<never> =>
  HttpApiBuilder.Router.use((router) =>
    Effect.gen(function* () {
      const files = yield* Effect.cached(read(directory))
      const file = Effect.gen(function* () {
        const path = pathOf(yield* HttpServerRequest)
        const found = yield* files
        // The router accepts an empty segment as an id.
        if (documentPath.test(path)) return documentOf(found)
        return found.assets.get(path) ?? (yield* new NoSuchRoute({ method: "GET", path }))
      })
      yield* Effect.forEach([...documents, "/assets/:name"] as const, (path) => router.get(path, file))
    })
  )
