/**
 * The server, with a hundred clients that get a job or start new ones.
 */
import { JobManager } from "charlotte"
import { Server } from "charlotte/http"
import { Effect, Layer } from "effect"
import { writeFileSync, readFileSync } from "node:fs"
import { number, report, text } from "../harness/Subject.js"
import { clients, found, isServer } from "./beside.js"
import { config, managerOf } from "./manager.js"
import { get, post, requests } from "./requests.js"

const socket = `${text("root")}/socket`
/** The file from which the thread reads the id of the job to get. */
const note = `${text("root")}/job`

const program = Effect.gen(function* () {
  const manager = yield* JobManager.JobManager
  const id = yield* manager.start(config)
  yield* manager.await(id)
  writeFileSync(note, id)
  report(yield* Effect.promise(() => clients(import.meta.url)))
})

const manager = managerOf(100_000, () => Effect.void)
const server = Server.layer({ listen: { socket }, drain: 100 })

if (isServer) await Effect.runPromise(Effect.provide(program, Layer.provideMerge(server, manager)))
else {
  const path = "/api/v1/jobs"
  const request = text("method") === "POST" ? post(path, config) : get(`${path}/${readFileSync(note, "utf8")}`)
  found(await requests(socket, request, number("connections"), number("millis")))
}
