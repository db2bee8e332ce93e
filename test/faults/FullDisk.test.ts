/**
 * A manager in a child process on a disk that is really full.
 */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdirSync } from "node:fs"
import { apart, canMount, mount } from "../support/SmallDisk.js"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import * as Child from "./Child.js"

describe("a full disk", () => {
  it.scopedLive.skipIf(!canMount)(
    "causes no crash and no false acknowledgement, and loses nothing once there is space again",
    () =>
      Effect.gen(function* () {
        const directory = yield* TemporaryDirectory.make
        const program = yield* Child.bundle(directory)
        const disk = `${directory}/disk`
        mkdirSync(disk)
        // A quarter of the space can be freed.
        const script = `${mount}; head -c 1M /dev/zero >"$2/room"; shift 2; exec "$@"`
        const child = yield* Child.start("unshare", [
          ...apart,
          ...["sh", "-c", script, "sh", "4m", disk],
          ...[process.execPath, program, "full", `${disk}/jobs.db`, `${disk}/room`]
        ])
        const { code, log, messages } = yield* child.ended
        const [full, recorded] = messages
        expect(full, log).toEqual({ tag: "full", reasons: ["full"], refused: "full" })
        expect(recorded).toMatchObject({ tag: "recorded", status: "completed", violations: 0 })
        if (recorded?.tag !== "recorded") return
        expect(recorded.emitted).toBeGreaterThan(1_000)
        expect(recorded.recorded).toBe(recorded.emitted)
        expect(code).toBe(0)
        expect(log).toContain("cannot be recorded, retrying")
      })
  )
})
