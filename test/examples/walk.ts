/** The README of `examples/app`, run in a copy of it. */
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { freePort } from "../../examples/cluster/freePort.js"
import * as pages from "../docs/pages.js"
import { differences, endJobs, scriptOf } from "../docs/walk.js"
import * as Shop from "./Shop.js"

export const page = pages.page("examples/app/README.md")

/** The same on PostgreSQL: its setting comes after the others. */
export const onPostgres = (url: string): pages.Page => {
  const setting = page.blocks.filter(({ check }) => check === "postgres")
  const blocks = page.blocks.flatMap((block) =>
    block.text.includes(".env.example")
      ? [block, ...setting.map((block) => ({ ...block, check: "", text: block.text.replace(/postgres:\S+/, url) }))]
      : [block]
  )
  return { ...page, blocks }
}

/** Returns what the README shows otherwise than it is. */
export const run = (page: pages.Page) =>
  Effect.gen(function* () {
    const directory = yield* Shop.install
    const port = yield* freePort
    const script = scriptOf(page, endJobs).replaceAll(":3000", `:${port}`)
    return yield* Effect.async<ReadonlyArray<string>>((resume) => {
      const env = { PATH: process.env["PATH"], HOME: directory, PORT: String(port) }
      const child = execFile("bash", ["-c", script], { cwd: directory, env }, (error, out, problems) =>
        resume(Effect.succeed(error === null ? differences(page, out) : [`${out}\n${problems}`]))
      )
      return Effect.sync(() => child.kill())
    })
  })
