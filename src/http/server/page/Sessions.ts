/**
 * The sessions of browsers that have the page open. A session ends after 12 hours without use; an open event stream counts as use.
 */
import { Clock, Effect, type Scope } from "effect"
import { createHash, createHmac, randomBytes } from "node:crypto"
import type { ServerResponse } from "node:http"
import * as background from "../../../internal/background.js"
import { RealClock } from "../../../internal/RealClock.js"
import { SessionNotFound } from "../../contract/errors.js"
import * as SessionFile from "./SessionFile.js"

/** How long a session may be unused, in milliseconds. */
export const lifetime = 12 * 60 * 60_000

/** How often use is recorded, in milliseconds: a write for each request would be too much. */
const resolution = 60_000

/** Beyond this number, the least recently used sessions end. */
const maxSessions = 100

interface Live extends Omit<SessionFile.Entry, "usedAt"> {
  usedAt: number
  /** Responses that are not complete, such as event streams. */
  readonly open: Set<ServerResponse>
}

export interface Begun {
  readonly id: string
  readonly token: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

export interface Sessions {
  readonly begin: (origin: string) => Effect.Effect<Begun>
  /** Whether the token belongs to a session on this origin. The session is in use until the response is complete. */
  readonly use: (token: string, origin: string, response: ServerResponse) => boolean
  /** HMAC-SHA-256 of the nonce, with the token of the session as the key. */
  readonly prove: (id: string, origin: string, nonce: string) => Effect.Effect<string, SessionNotFound>
  readonly has: (token: string) => boolean
  /** Ends the session of the token, and closes its other responses. */
  readonly end: (token: string, response: ServerResponse) => Effect.Effect<void, SessionNotFound>
  /** Ends all sessions, and returns how many there were. */
  readonly endAll: Effect.Effect<number>
  /** The port on which the page was last opened. */
  readonly port: Effect.Effect<SessionFile.Port | undefined>
  readonly remember: (port: SessionFile.Port) => Effect.Effect<void>
  readonly areThereAny: Effect.Effect<boolean>
}

const digestOf = (token: string): string => createHash("sha256").update(token).digest("hex")

/** The response to a nonce of a server that knows the token of the session. */
export const proofOf = (token: string, nonce: string): string => createHmac("sha256", token).update(nonce).digest("hex")

export interface Options {
  /** The file that stores the sessions. */
  readonly file: string
  /** Called with each token, which must not appear in any log. */
  readonly learn: (token: string) => void
}

export const make = ({ file, learn }: Options): Effect.Effect<Sessions, never, Scope.Scope> =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const now = () => clock.unsafeCurrentTimeMillis()
    const content = yield* SessionFile.read(file)
    let { port } = content
    /** By the digest of the token, so that the time of a lookup discloses nothing about a token. */
    const sessions = new Map<string, Live>()
    const isOver = ({ open, usedAt }: Live): boolean => open.size === 0 && now() - usedAt >= lifetime

    for (const entry of content.sessions) {
      learn(entry.token)
      sessions.set(digestOf(entry.token), { ...entry, open: new Set() })
    }

    let isSaved = true
    const save = Effect.suspend(() => {
      isSaved = true
      const entries = [...sessions.values()].map(({ id, origin, token, usedAt }) => ({ id, token, origin, usedAt }))
      return SessionFile.write(file, { ...(port && { port }), sessions: entries })
    })
    const touch = (session: Live): void => {
      if (now() - session.usedAt < resolution) return
      session.usedAt = now()
      isSaved = false
    }
    const remove = (which: (session: Live) => boolean, except?: ServerResponse): number => {
      const found = [...sessions].filter(([, session]) => which(session))
      for (const [digest, { open }] of found) {
        sessions.delete(digest)
        for (const response of open) if (response !== except) response.destroy()
        isSaved = false
      }
      return found.length
    }
    const find = (token: string): Live | undefined => {
      remove(isOver)
      return sessions.get(digestOf(token))
    }

    yield* Effect.addFinalizer(() => (isSaved ? Effect.void : save))
    const { sleep } = yield* RealClock
    yield* Effect.gen(function* () {
      yield* sleep(resolution)
      for (const session of sessions.values()) if (session.open.size > 0) touch(session)
      remove(isOver)
      if (!isSaved) yield* save
    }).pipe(
      Effect.tapErrorCause((cause) => Effect.logWarning("recording the use of pages failed", cause)),
      Effect.forever,
      Effect.annotateLogs("module", "Sessions"),
      background.fork
    )

    return {
      begin: (origin) =>
        Effect.gen(function* () {
          const [id, token] = [randomBytes(16).toString("base64url"), randomBytes(32).toString("base64url")]
          const at = yield* Clock.currentTimeMillis
          learn(token)
          sessions.set(digestOf(token), { id, token, origin, usedAt: at, open: new Set() })
          const oldest = [...sessions.values()].sort((a, b) => a.usedAt - b.usedAt).slice(0, -maxSessions)
          remove((session) => oldest.includes(session))
          yield* save
          return { id, token, expiresAt: at + lifetime }
        }),
      use: (token, origin, response) => {
        const session = find(token)
        if (session === undefined || session.origin !== origin) return false
        touch(session)
        session.open.add(response)
        response.once("close", () => {
          session.open.delete(response)
          touch(session)
        })
        return true
      },
      has: (token) => find(token) !== undefined,
      prove: (id, origin, nonce) =>
        Effect.suspend(() => {
          remove(isOver)
          const session = [...sessions.values()].find((session) => session.id === id && session.origin === origin)
          return session === undefined ? new SessionNotFound() : Effect.succeed(proofOf(session.token, nonce))
        }),
      end: (token, response) =>
        Effect.suspend(() => {
          const session = find(token)
          if (session === undefined) return new SessionNotFound()
          remove((other) => other === session, response)
          return save
        }),
      endAll: Effect.suspend(() => {
        const count = remove(() => true)
        return Effect.as(save, count)
      }),
      port: Effect.sync(() => port),
      remember: (next) =>
        Effect.suspend(() => {
          if (port?.port === next.port && port.host === next.host) return Effect.void
          port = next
          return save
        }),
      areThereAny: Effect.sync(() => {
        remove(isOver)
        return sessions.size > 0
      })
    }
  })
