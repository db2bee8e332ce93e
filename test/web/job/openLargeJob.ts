import { Effect } from "effect"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import { act } from "../support/Browser.js"
import * as World from "../support/World.js"
import { config, happen, largeJob } from "./story.js"

/** Opens the view of a job of 500 units, and returns once the page shows it. */
export const openLargeJob = Effect.gen(function* () {
  const logs = yield* TemporaryDirectory.make
  const world = yield* World.make({ server: { logs } })
  const id = yield* world.client.start(config())
  yield* happen(world.script, id, largeJob(logs))
  const { page, problems } = yield* world.open(`/jobs/${id}?view=graph`)
  yield* act(() => page.getByText("120 of 1,000 tasks").waitFor())
  return { page, problems }
})
