/**
 * The database for the records of a home: its own SQLite file, or a database of a PostgreSQL server.
 */
import { Either, ParseResult, Redacted, Schema } from "effect"

const Sqlite = Schema.TaggedStruct("Sqlite", {})

const Postgres = Schema.TaggedStruct("Postgres", {
  url: Schema.RedactedFromSelf(Schema.String),
  /** The same URL without a password. */
  shown: Schema.String
})

export const DatabaseChoice = Schema.Union(Sqlite, Postgres)
export type DatabaseChoice = typeof DatabaseChoice.Type

export const sqlite: DatabaseChoice = { _tag: "Sqlite" }

export const example = "postgres://USER@HOST:PORT/DATABASE"

const expected = `must be ${example}, or sqlite`

/** Query parameters of a URL that the driver reads as passwords. */
const secretParameters = ["password", "sslpassword"]

const shownOf = (url: URL): string => {
  const shown = new URL(url)
  shown.password = ""
  for (const name of secretParameters) if (shown.searchParams.has(name)) shown.searchParams.delete(name)
  return shown.href
}

/** Whether a text is the URL of a PostgreSQL database, rather than a file or a word. */
export const isPostgresUrl = (text: string): boolean => /^postgres(ql)?:\/\//i.test(text)

/** Parses a URL or `sqlite`. A problem is the end of a sentence; it never quotes the URL, which may contain a password. */
export const parse = (text: string): Either.Either<DatabaseChoice, string> => {
  if (text === "sqlite") return Either.right(sqlite)
  const isUrl = isPostgresUrl(text) && !/[\p{Cc}\s]|%00/u.test(text) && URL.canParse(text)
  if (!isUrl) return Either.left(expected)
  const url = new URL(text)
  if (url.pathname.length < 2) return Either.left(`must name a database: ${example}`)
  return Either.right({ _tag: "Postgres", url: Redacted.make(text), shown: shownOf(url) })
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The passwords in a URL, both encoded and decoded. */
export const passwords = (choice: DatabaseChoice): ReadonlyArray<string> => {
  if (choice._tag === "Sqlite") return []
  const url = new URL(Redacted.value(choice.url))
  const found = [url.password, ...secretParameters.flatMap((name) => url.searchParams.getAll(name))]
  return found.filter((password) => password !== "").flatMap((password) => [password, decoded(password)])
}

/** For messages. */
export const show = (choice: DatabaseChoice): string => (choice._tag === "Sqlite" ? "sqlite" : choice.shown)

/** Its form in `config.yaml`, and in a variable. */
export const DatabaseText = Schema.transformOrFail(
  Schema.String.annotations({ message: () => ({ message: expected, override: true }) }),
  DatabaseChoice,
  {
    strict: true,
    decode: (text, _, ast) => Either.mapLeft(parse(text), (problem) => new ParseResult.Type(ast, undefined, problem)),
    encode: (choice) => ParseResult.succeed(choice._tag === "Sqlite" ? "sqlite" : Redacted.value(choice.url))
  }
)
