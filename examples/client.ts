import { JobClient } from "charlotte/http"
import { Console, Effect, Stream } from "effect"

const program = Effect.gen(function* () {
  const client = yield* JobClient.JobClient
  const id = yield* client.start({ repoPath: "/any/repository", tasksDir: "tasks", targetBranch: "main" })
  // To the last event, over restarts of the server, without a gap and without a repetition.
  yield* Stream.runForEach(client.events(id), ({ payload, seq, type }) => Console.log(seq, type, payload ?? ""))
  const job = yield* client.get(id)
  yield* Console.log(`job ${job.status}: ${job.result}`)
})

await Effect.runPromise(Effect.provide(program, JobClient.layer({ socket: process.argv[2] ?? "app.socket" })))
