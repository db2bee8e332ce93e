/**
 * Checks the configuration and lists the available agents.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Effect, Either } from "effect"
import * as Configuration from "../../daemon/config/Configuration.js"
import { Home } from "../../daemon/home/Home.js"
import * as Agents from "../../tasks/Agents.js"
import * as Finding from "./Finding.js"

export const check = Effect.gen(function* () {
  const fs = yield* FileSystem
  const { config } = yield* Home
  const read = yield* Effect.either(Configuration.make)
  if (Either.isLeft(read)) {
    return read.left.problems.map((problem) =>
      Finding.fromMessage("problem", "configuration", String(problem), `fix ${problem.file}`)
    )
  }
  const isThere = yield* Effect.orElseSucceed(fs.exists(config), () => false)
  const { agents, maxJobs } = read.right
  return [
    Finding.ok(
      "configuration",
      `${isThere ? config : `no ${config}; defaults apply`}${maxJobs === undefined ? "" : `; ${maxJobs} jobs at once`}`
    ),
    ...(yield* ofAgents(agents))
  ]
})

const ofAgents = (settings: Agents.Settings) =>
  Effect.gen(function* () {
    const { found, get } = yield* Agents.make(settings)
    const names = yield* found
    const isAlone = names.length === 1
    const missing = yield* Effect.forEach(
      settings.profiles.filter((profile) => !Agents.presets.includes(profile) && !names.includes(profile.name)),
      ({ name }) => Effect.either(get(name))
    )
    return [
      Finding.ok("agents", isAlone ? `only ${names.join()}, which runs the sh blocks in the tasks` : names.join(", ")),
      ...missing.flatMap((agent) =>
        Either.isLeft(agent) ? [Finding.fromMessage("warning", "agents", agent.left.message)] : []
      )
    ]
  })
