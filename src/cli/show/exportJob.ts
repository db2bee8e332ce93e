/**
 * `charlotte export`: prints the complete record of a job.
 */
import { Effect, Stream } from "effect"
import * as Home from "../../daemon/home/Home.js"
import * as JobRef from "../target/JobRef.js"
import * as JobSource from "../target/JobSource.js"
import { Output } from "../terminal/Output.js"

export const exportJob = (given: { readonly job: string }) =>
  Effect.gen(function* () {
    const { write } = yield* Output
    const jobs = yield* JobSource.read
    const id = yield* JobRef.find(jobs, given.job)
    yield* Stream.runForEach(jobs.export(id), write)
  }).pipe(Effect.provide(Home.layerUntouched), Effect.scoped)
