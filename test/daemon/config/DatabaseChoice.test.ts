/** What names a database. */
import { describe, expect, it } from "@effect/vitest"
import { Either, Redacted } from "effect"
import * as DatabaseChoice from "../../../src/daemon/config/DatabaseChoice.js"

const read = (text: string) => Either.getOrThrow(DatabaseChoice.parse(text))

describe("the name of a database", () => {
  it("is sqlite, or a URL of PostgreSQL, which is shown without its passwords", () => {
    expect(read("sqlite")).toEqual({ _tag: "Sqlite" })
    for (const [text, shown] of [
      ["postgres://me@db.example:5433/jobs", "postgres://me@db.example:5433/jobs"],
      ["postgresql://db.example/jobs?sslmode=verify-full", "postgresql://db.example/jobs?sslmode=verify-full"],
      ["postgres:///jobs?host=/run/postgresql", "postgres:///jobs?host=/run/postgresql"],
      ["postgres://me:pass-word-1@db.example/jobs", "postgres://me@db.example/jobs"],
      ["postgres://db.example/jobs?password=pass-word-1&sslmode=require", "postgres://db.example/jobs?sslmode=require"]
    ] as const) {
      const choice = read(text)
      expect(DatabaseChoice.show(choice)).toBe(shown)
      expect(choice._tag === "Postgres" && Redacted.value(choice.url)).toBe(text)
      expect(JSON.stringify(choice)).not.toContain("pass-word-1")
    }
  })

  it("has passwords as they are written and as they are sent", () => {
    expect(DatabaseChoice.passwords(read("postgres://me:p%40ss@h/d?password=other"))).toEqual([
      "p%40ss",
      "p@ss",
      "other",
      "other"
    ])
    expect(DatabaseChoice.passwords(read("postgres://me@h/d"))).toEqual([])
    expect(DatabaseChoice.passwords(DatabaseChoice.sqlite)).toEqual([])
  })

  it("is refused when it is anything else, and not quoted, since it may hold a password", () => {
    const expected = "must be postgres://USER@HOST:PORT/DATABASE, or sqlite"
    for (const [text, problem] of [
      ["", expected],
      ["charlotte.db", expected],
      ["SQLITE", expected],
      ["mysql://me:pass-word-1@h/d", expected],
      ["postgres:jobs", expected],
      ["postgres://h:99999/d", expected],
      ["postgres://h/d\0", expected],
      ["postgres://h/d e", expected],
      ["postgres://h/d\n", expected],
      ["postgres://me:pass-word-1@h", "must name a database: postgres://USER@HOST:PORT/DATABASE"],
      ["postgres://me:pass-word-1@h/", "must name a database: postgres://USER@HOST:PORT/DATABASE"],
      ["postgres://h/d%00", "must be postgres://USER@HOST:PORT/DATABASE, or sqlite"]
    ] as const) {
      expect(DatabaseChoice.parse(text), text).toEqual(Either.left(problem))
    }
  })
})
