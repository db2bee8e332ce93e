/** A server with a page: its files, its sessions and its port, in a directory of the test. */
import { Context, Effect, Exit, Layer, Scope } from "effect"
import { createHmac } from "node:crypto"
import { mkdirSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { Options, State } from "../../src/http/server/page/Page.js"
import * as Server from "../../src/tasks/http/Server.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import * as requests from "./requests.js"
import * as World from "./world.js"

/** As the page of the package: a shell, and what it loads. */
export const files: { readonly [name: string]: string } = {
  "index.html": '<!doctype html><script src="/assets/page-1.js"></script>',
  "licences.txt": "not served",
  "assets/page-1.js": "document.title = 'Charlotte'",
  "assets/styles-1.css": "body { margin: 0 }",
  "assets/notes": "not served"
}

export const makeDirectory: Effect.Effect<string, never, Scope.Scope> = Effect.tap(
  TemporaryDirectory.make,
  (directory) =>
    Effect.sync(() => {
      mkdirSync(`${directory}/web/assets`, { recursive: true })
      for (const [name, text] of Object.entries(files)) writeFileSync(`${directory}/web/${name}`, text)
    })
)

interface Given extends Partial<Options> {
  /** Of an earlier server, if it is its successor. */
  readonly directory?: string
  /** A port to listen on from the beginning. */
  readonly port?: number
}

export interface Code {
  readonly id: string
  readonly code: string
  readonly origin: string
  readonly expiresAt: string
}

export interface Session {
  readonly id: string
  readonly token: string
  readonly expiresAt: string
}

export const make = ({ directory: given, port, ...options }: Given = {}) =>
  Effect.gen(function* () {
    const directory = given ?? (yield* makeDirectory)
    const socket = `${directory}/socket`
    const changes: Array<State> = []
    const learnt: Array<string> = []
    const served = Server.listen({
      listen: port === undefined ? { socket } : [{ socket }, { port }],
      token: World.token,
      drain: 200,
      // A test clock sends each of the hours that it skips.
      heartbeat: "1 hour",
      page: {
        files: `${directory}/web`,
        sessions: `${directory}/sessions.json`,
        directory,
        token: Effect.succeed(World.token),
        learn: (secret) => void learnt.push(secret),
        reopen: true,
        onChange: (state) => Effect.sync(() => void changes.push(state)),
        ...options
      }
    })
    const services = yield* Layer.build(Layer.provideMerge(served, World.idle))
    yield* Context.get(services, Server.Server).prepared
    const bySocket = (sent: requests.Sent) => requests.send({ socketPath: socket }, sent)

    /** A code, as `charlotte open` gets one. */
    const code = Effect.map(bySocket({ method: "POST", path: "/api/v1/session/code" }), ({ json }) => isCode(json))
    const post = (origin: string, path: string, body: unknown, headers: { readonly [name: string]: string } = {}) =>
      requests.send(
        { port: portOf(origin) },
        {
          method: "POST",
          path,
          body: JSON.stringify(body),
          headers: { host: new URL(origin).host, "content-type": "application/json", origin, ...headers }
        }
      )
    /** As the page sends its code. */
    const exchange = (code: Pick<Code, "code" | "origin">, headers?: { readonly [name: string]: string }) =>
      post(code.origin, "/api/v1/session", { code: code.code }, headers)
    /** A session of the page. */
    const session = Effect.flatMap(code, (code) =>
      Effect.map(exchange(code), ({ json }) => ({ ...isSession(json), origin: code.origin }))
    )
    const as = ({ origin, token }: { readonly origin: string; readonly token: string }, sent: requests.Sent) =>
      requests.send(
        { port: portOf(origin) },
        {
          ...sent,
          headers: { host: new URL(origin).host, authorization: `Bearer ${token}`, ...sent.headers }
        }
      )
    /** Whether the server at that origin proves that it knows the session, as the page checks it. */
    const proves = ({ id, token }: Session, origin: string) =>
      Effect.map(post(origin, "/api/v1/session/proof", { id, nonce: "a nonce of 16 or more" }), ({ json, status }) => ({
        status,
        isRight: status === 200 && text(json, "proof") === hmac(token, "a nonce of 16 or more")
      }))
    return { directory, changes, learnt, proves, bySocket, code, post, exchange, session, as }
  })

/** Two servers one after the other over the same directory; the first closes in between, or is left as a killed one leaves it. */
export const restarted = <A>(before: (world: Effect.Effect.Success<ReturnType<typeof make>>) => Effect.Effect<A>) =>
  Effect.gen(function* () {
    const directory = yield* makeDirectory
    const scope = yield* Scope.make()
    const first = yield* Scope.extend(make({ directory }), scope)
    const made = yield* before(first)
    yield* Scope.close(scope, Exit.void)
    return { directory, made }
  })

/** A program that has taken the port, and notes what it is sent. */
export const impostor = (port: number, heard: Array<string>) =>
  Effect.acquireRelease(
    Effect.async<ReturnType<typeof createServer>>((resume) => {
      const server = createServer((request, response) => {
        heard.push(request.rawHeaders.join())
        request.on("data", (piece) => heard.push(String(piece)))
        request.on("end", () => response.writeHead(200).end(JSON.stringify({ proof: "00".repeat(32) })))
      }).listen(port, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => void server.close())
  )

const hmac = (key: string, message: string): string => createHmac("sha256", key).update(message).digest("hex")

export const portOf = (origin: string): number => Number(new URL(origin).port)

const text = (json: unknown, name: string): string => {
  const value: unknown = typeof json === "object" && json !== null ? Reflect.get(json, name) : undefined
  if (typeof value !== "string") throw new Error(`no ${name} in ${JSON.stringify(json)}`)
  return value
}

const isCode = (json: unknown): Code => ({
  id: text(json, "id"),
  code: text(json, "code"),
  origin: text(json, "origin"),
  expiresAt: text(json, "expiresAt")
})

const isSession = (json: unknown): Session => ({
  id: text(json, "id"),
  token: text(json, "token"),
  expiresAt: text(json, "expiresAt")
})
