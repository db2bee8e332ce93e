import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { chmodSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import * as page from "../../page.js"

describe("file of sessions", () => {
  const problems: { readonly [problem: string]: (file: string) => void } = {
    "is no JSON": (file) => writeFileSync(file, "{"),
    "has other fields": (file) => writeFileSync(file, JSON.stringify({ sessions: [{ id: 7 }] })),
    "is a directory": (file) => {
      rmSync(file)
      mkdirSync(file)
    },
    "is a symbolic link": (file) => {
      rmSync(file)
      symlinkSync("/etc/hostname", file)
    }
  }
  for (const [problem, damage] of Object.entries(problems)) {
    it.scoped(`that ${problem} ends the sessions and stops no server`, () =>
      Effect.gen(function* () {
        const { directory, made } = yield* page.restarted(({ session }) => session)
        damage(`${directory}/sessions.json`)
        const next = yield* page.make({ directory })
        expect((yield* next.bySocket({ path: "/healthz" })).status).toBe(200)
        expect((yield* next.exchange(yield* next.code)).status).toBe(201)
        expect(readFileSync("/etc/hostname", "utf8")).not.toContain(made.token)
      })
    )
  }

  it.scoped("is closed to others where it is open to them", () =>
    Effect.gen(function* () {
      const { directory } = yield* page.restarted(({ session }) => session)
      chmodSync(`${directory}/sessions.json`, 0o644)
      yield* page.make({ directory })
      expect(lstatSync(`${directory}/sessions.json`).mode & 0o777).toBe(0o600)
    })
  )
})
