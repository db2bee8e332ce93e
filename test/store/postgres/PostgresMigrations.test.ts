import { expect, it } from "@effect/vitest"
import * as PostgresMigrations from "../../../src/store/postgres/PostgresMigrations.js"

/** Statements without the indentation of the sources. */
const script = (statements: ReadonlyArray<string>): string =>
  statements
    .map((statement) => {
      const indents = [...statement.matchAll(/\n( *)\S/g)].map(([, indent = ""]) => indent.length)
      return `${statement.replaceAll(`\n${" ".repeat(Math.min(...indents, 80))}`, "\n")};\n`
    })
    .join("\n")

it("the statements of PostgreSQL's migrations are those of test/snapshots/postgres.sql", () =>
  expect(script(PostgresMigrations.after(0).flatMap(({ statements }) => statements))).toMatchFileSnapshot(
    "../../snapshots/postgres.sql"
  ))
