/**
 * `charlotte daemon uninstall`: stops the service of this home, and removes it.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Effect, Option } from "effect"
import * as Home from "../../daemon/home/Home.js"
import { Problem } from "../../daemon/Problem.js"
import type { Manner } from "../daemon/render.js"
import { writeJson, writeLines } from "../terminal/Output.js"
import * as StyledLine from "../terminal/StyledLine.js"
import * as Service from "./Service.js"
import * as UnitFile from "./UnitFile.js"

export const uninstall = ({ json }: Manner) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const found = yield* Service.installed
    if (Option.isNone(found)) return yield* refuseOther
    const { file, unit } = found.value
    yield* Service.systemctl("disable", "--now", UnitFile.unitName)
    yield* fs.remove(file)
    yield* Service.systemctl("daemon-reload")
    if (json) return yield* writeJson({ service: null, removed: file })
    yield* writeLines([
      [
        StyledLine.raw("the daemon is no service any more: "),
        StyledLine.piece(file, "name"),
        StyledLine.raw(" is removed")
      ],
      [StyledLine.raw("its variables stay in "), StyledLine.piece(UnitFile.environmentFile(unit.home), "name")],
      [StyledLine.raw("to continue its jobs: "), StyledLine.raw("charlotte daemon start", "strong")]
    ])
  }).pipe(Effect.provide(Home.layerUntouched))

const refuseOther = Effect.gen(function* () {
  const { directory } = yield* Home.Home
  const problem = Option.match(yield* Service.ofUser, {
    onNone: () => `the daemon of ${directory} is no service`,
    onSome: ({ file, unit }) => `the daemon of ${directory} is no service: ${file} belongs to ${unit.home}`
  })
  return yield* new Problem({ name: "NoService", problem })
})
