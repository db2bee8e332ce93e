import { describe, expect, it } from "@effect/vitest"
import type { Landing } from "../../../src/domain/JobConfig.js"
import { JobId } from "../../../src/domain/JobId.js"
import * as landing from "../../../src/tasks/run/landing.js"

const of = (land: Landing | boolean, inPlan?: Landing, bound?: Landing) =>
  landing.of({ land }, inPlan === undefined ? {} : { land: inPlan }, bound)

describe("what a job lands", () => {
  it("is all or nothing unless something says otherwise", () => {
    expect(of(true)).toBe("auto")
  })

  it("is what the job says, or else the settings of its plan, or else the configuration", () => {
    expect(of("done", "never")).toBe("done")
    expect(of("auto", "done")).toBe("auto")
    expect(of(false, "done", "done")).toBe("never")
    expect(of(true, "done")).toBe("done")
    expect(of(true, "auto", "done")).toBe("auto")
    expect(of(true, undefined, "done")).toBe("done")
    expect(of(true, undefined, "never")).toBe("never")
  })

  it("is a pull request rather than what lands at once, also of the work of another job", () => {
    expect(of("auto", undefined, "pull-request")).toBe("pull-request")
    expect(of("pull-request", "auto", "done")).toBe("pull-request")
    expect(of("pull-request", undefined, "never")).toBe("never")
    const landOf = JobId.make("01KB3N5QZ4M6Y2V8T7R1S9W0XE")
    expect(landing.of({ land: true, landOf }, { land: "pull-request" }, undefined)).toBe("pull-request")
    expect(landing.of({ land: false, landOf }, { land: "never" }, undefined)).toBe("auto")
    expect(landing.of({ land: "done", landOf }, {}, "auto")).toBe("auto")
  })

  it("is never more than the configuration allows", () => {
    expect(of("done", "done", "auto")).toBe("auto")
    expect(of(true, "done", "auto")).toBe("auto")
    expect(of("done", undefined, "never")).toBe("never")
    expect(of("auto", "done", "never")).toBe("never")
    expect(of("never", "done", "auto")).toBe("never")
    expect(of("done", "auto", "ask")).toBe("ask")
    expect(of("ask", "auto", "done")).toBe("ask")
    expect(of("ask", undefined, "never")).toBe("never")
  })
})
