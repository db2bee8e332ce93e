import { describe, expect, it } from "@effect/vitest"
import { ConfigProvider, Effect, Option, Redacted } from "effect"
import { chmodSync, writeFileSync } from "node:fs"
import * as PasswordFile from "../../../src/store/postgres/passwordFile.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"

const text = [
  "# a comment:*:*:*:no",
  "db.internal:5433:jobs:me:of-a-port",
  "db.internal:*:jobs:me:of:a\\:database",
  "*:*:a\\:b\\\\c:*:escaped",
  "not a line",
  "*:*:*:me:any"
].join("\n")

describe("the file of passwords", () => {
  it("has the password of the first line that fits", () => {
    const find = (...connection: Parameters<typeof PasswordFile.find>[1]) =>
      Option.getOrUndefined(PasswordFile.find(text, connection))
    expect(find("db.internal", "5433", "jobs", "me")).toBe("of-a-port")
    expect(find("db.internal", "5432", "jobs", "me")).toBe("of:a:database")
    expect(find("h", "5432", "a:b\\c", "you")).toBe("escaped")
    expect(find("h", "5432", "jobs", "me")).toBe("any")
    expect(find("h", "5432", "jobs", "you")).toBeUndefined()
  })

  it.scoped("completes a URL without a password, and leaves every other one alone", () =>
    Effect.gen(function* () {
      const file = yield* TemporaryDirectory.file("pgpass")
      writeFileSync(file, "h:5432:db:me:p@ss/word%\n", { mode: 0o600 })
      const complete = (url: string, variables: Readonly<Record<string, string>> = {}) =>
        Effect.map(PasswordFile.complete(Redacted.make(url)), Redacted.value).pipe(
          Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries({ PGPASSFILE: file, ...variables }))))
        )
      const completed = "postgres://me:p%40ss%2Fword%25@h/db"
      expect(yield* complete("postgres://me@h/db")).toBe(completed)
      expect(yield* complete("postgres://h:5432/db", { PGUSER: "me" })).toContain("p%40ss%2Fword%25@h:5432/db")
      for (const url of [
        "postgres://me:own@h/db",
        "postgres://me@h/db?password=own",
        "postgres://you@h/db",
        "no URL"
      ]) {
        expect(yield* complete(url)).toBe(url)
      }
      expect(yield* complete("postgres://me@h/db", { PGPASSWORD: "x" })).toBe("postgres://me@h/db")
      expect(yield* complete("postgres://me@h/db", { PGPASSFILE: `${file}.missing` })).toBe("postgres://me@h/db")
      chmodSync(file, 0o640)
      expect(yield* complete("postgres://me@h/db")).toBe("postgres://me@h/db")
    })
  )
})
