/**
 * Worlds in which a daemon works on a new and empty PostgreSQL database.
 */
import { Effect, Schema, type Scope } from "effect"
import * as Charlotte from "../../cli/process/Charlotte.js"
import * as TestDatabase from "../database.js"

export interface World extends Charlotte.World {
  /** The URL of the database. */
  readonly url: string
}

export const world = (files: (root: string) => Readonly<Record<string, string>>) =>
  Effect.gen(function* () {
    // Dropped after all that is connected to it has ended.
    const url = yield* TestDatabase.make
    return { ...(yield* Charlotte.world(files)), url }
  })

/** The same with the database named in the environment of every command. */
export const configured = (world: World): World => ({
  ...world,
  variables: { ...world.variables, CHARLOTTE_DATABASE: world.url }
})

const Jobs = Schema.parseJson(
  Schema.Struct({
    jobs: Schema.Array(Schema.Struct({ id: Schema.String, status: Schema.String, attempt: Schema.Int }))
  })
)

/** What `charlotte jobs` lists. */
export const jobs = (world: Charlotte.World) =>
  Effect.map(Charlotte.run(world, "exec charlotte jobs --all --json"), ({ err, out }) => {
    if (err !== "") throw new Error(err)
    return Schema.decodeSync(Jobs)(out).jobs
  })

/** Runs a command and gives its exit code and what it has printed. */
export const command = (
  world: Charlotte.World,
  script: string,
  variables: Readonly<Record<string, string>> = {}
): Effect.Effect<Charlotte.Ended, never, Scope.Scope> => Charlotte.run(world, `exec charlotte ${script}`, { variables })
