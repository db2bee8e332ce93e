/**
 * Whether the configuration can be read, and which agents are there.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Effect, Either } from "effect"
import * as Configuration from "../../daemon/Configuration.js"
import { Home } from "../../daemon/Home.js"
import * as Agents from "../../tasks/Agents.js"
import * as Finding from "./Finding.js"

export const look = Effect.gen(function* () {
  const fs = yield* FileSystem
  const { config } = yield* Home
  const read = yield* Effect.either(Configuration.make)
  if (Either.isLeft(read)) {
    return read.left.problems.map((problem) =>
      Finding.told("problem", "configuration", String(problem), `mend ${problem.file}`)
    )
  }
  const isThere = yield* Effect.orElseSucceed(fs.exists(config), () => false)
  const { agents, maxJobs } = read.right
  return [
    Finding.ok(
      "configuration",
      `${isThere ? config : `there is no ${config}, and need not be`}${maxJobs === undefined ? "" : `; ${maxJobs} jobs at once`}`
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
      Finding.ok(
        "agents",
        isAlone ? `only ${names.join()}, which runs the sh blocks of the tasks themselves` : names.join(", ")
      ),
      ...missing.flatMap((agent) =>
        Either.isLeft(agent) ? [Finding.told("warning", "agents", agent.left.message)] : []
      )
    ]
  })
