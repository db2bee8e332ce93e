/** The types of the package, as an application that emits declarations and checks those of its libraries compiles them. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { vi } from "vitest"
import * as Application from "../support/application.js"

const fixtures = ["jobKinds.ts", "inferred.ts", "mergedLayers.ts", "page.ts"].map(
  (name) => [name, readFileSync(new URL(name, import.meta.url), "utf8")] as const
)

/** The declarations of `@effect/platform-node-shared` import types that it does not install. */
const ws = [
  "ws.d.ts",
  'declare module "ws" { export class WebSocket {} export interface ServerOptions<A = unknown, B = unknown> { a: A; b: B } }'
] as const

/** The compiler reads all of Effect, which takes minutes on a machine that is busy. */
vi.setConfig({ testTimeout: 600_000 })

describe("the types of the package", () => {
  it.scopedLive("infer what is right, refuse what is wrong, and have names that an application can export", () =>
    Effect.gen(function* () {
      const ended = yield* Application.compile(Object.fromEntries([...fixtures, ws]))
      expect(ended).toEqual({ code: 0, output: "" })
    })
  )
})
