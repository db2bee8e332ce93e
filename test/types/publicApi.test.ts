import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { beforeAll, describe, expect, it } from "vitest"

let api: { readonly report: string; readonly undocumented: ReadonlyArray<string> }

/** The compiler takes long on a machine that is busy. */
beforeAll(async () => {
  const script = fileURLToPath(new URL("publicApi.ts", import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [script], { maxBuffer: 2 ** 24 })
  api = JSON.parse(stdout)
}, 600_000)

describe("the public modules", () => {
  it("have the names and declarations of test/snapshots/public-api.md", () =>
    expect(api.report).toMatchFileSnapshot("../snapshots/public-api.md"))

  it("have a doc comment with @since and @category on every export", () => {
    expect(api.undocumented).toEqual([])
  })
})
