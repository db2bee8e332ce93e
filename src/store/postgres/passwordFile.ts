/**
 * Passwords from the file in `PGPASSFILE`, or `.pgpass` in the home directory. The driver reads it as well, with a warning that it
 * will soon stop doing so.
 */
import { Config, Effect, Option, Redacted } from "effect"
import { readFileSync, statSync } from "node:fs"
import { userInfo } from "node:os"
import { join } from "node:path"

const variable = (name: string) => Effect.orElseSucceed(Config.option(Config.nonEmptyString(name)), Option.none<string>)

const otherwise = (text: string, name: string, last: () => string) =>
  text === "" ? Effect.map(variable(name), Option.getOrElse(last)) : Effect.succeed(decodeURIComponent(text))

/** Reads the file if only its user can access it: the driver warns of other files. */
const read = (path: string): string | undefined => {
  const file = statSync(path, { throwIfNoEntry: false })
  return file?.isFile() === true && (file.mode & 0o077) === 0 ? readFileSync(path, "utf8") : undefined
}

/** `HOST:PORT:DATABASE:USER:PASSWORD`; a backslash escapes the next character. */
const line = /^((?:\\.|[^:\\])*):((?:\\.|[^:\\])*):((?:\\.|[^:\\])*):((?:\\.|[^:\\])*):(.*)$/

const fieldsOf = (text: string): ReadonlyArray<string> =>
  (line.exec(text) ?? []).slice(1).map((field) => field.replace(/\\(.)/g, "$1"))

/** The password of the first line that matches. */
export const find = (text: string, connection: readonly [host: string, port: string, database: string, user: string]) =>
  Option.fromNullable(
    text
      .split(/\r?\n/)
      .filter((text) => !text.startsWith("#"))
      .map(fieldsOf)
      .find((fields) => connection.every((value, i) => fields[i] === "*" || fields[i] === value))?.[4]
  )

/** Adds the password of the file to the URL, unless the URL or `PGPASSWORD` has one. */
export const complete = (redacted: Redacted.Redacted): Effect.Effect<Redacted.Redacted> =>
  Effect.gen(function* () {
    const given = Redacted.value(redacted)
    if (!URL.canParse(given) || Option.isSome(yield* variable("PGPASSWORD"))) return redacted
    const url = new URL(given)
    if (url.password !== "" || url.searchParams.has("password")) return redacted
    const inHome = Option.map(yield* variable("HOME"), (home) => join(home, ".pgpass"))
    const file = Option.orElse(yield* variable("PGPASSFILE"), () => inHome)
    if (Option.isNone(file)) return redacted
    const user = yield* otherwise(url.username, "PGUSER", () => userInfo().username)
    const host = yield* otherwise(url.searchParams.get("host") ?? url.hostname, "PGHOST", () => "localhost")
    const port = yield* otherwise(url.searchParams.get("port") ?? url.port, "PGPORT", () => "5432")
    const database = yield* otherwise(url.pathname.slice(1), "PGDATABASE", () => user)
    const text = yield* Effect.orElseSucceed(
      Effect.try(() => read(file.value)),
      () => undefined
    )
    const password = text === undefined ? Option.none() : find(text, [host, port, database, user])
    if (Option.isNone(password)) return redacted
    url.password = encodeURIComponent(password.value)
    return Redacted.make(url.href)
  })
