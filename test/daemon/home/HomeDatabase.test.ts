/** Which database a home has. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { ConfigProvider, Effect, Either, Layer, Option } from "effect"
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs"
import * as Configuration from "../../../src/daemon/config/Configuration.js"
import * as DatabaseChoice from "../../../src/daemon/config/DatabaseChoice.js"
import * as Home from "../../../src/daemon/home/Home.js"
import * as HomeDatabase from "../../../src/daemon/home/HomeDatabase.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"

const [one, two, three] = ["one", "two", "three"].map((name) => `postgres://me@db.example/${name}`)
const named = (text: string | undefined) =>
  Option.map(Option.fromNullable(text), (text) => Either.getOrThrow(DatabaseChoice.parse(text)))

interface World {
  readonly home: string
  readonly flag?: string | undefined
  readonly variable?: string | undefined
}

const within =
  ({ flag, home, variable }: World) =>
  <A, E>(effect: Effect.Effect<A, E, Configuration.Configuration | Home.Home | NodeContext.NodeContext>) =>
    Effect.provide(
      Effect.provideService(effect, HomeDatabase.Flag, named(flag)),
      Configuration.layer.pipe(
        Layer.provideMerge(Home.layerAt(home)),
        Layer.provideMerge(NodeContext.layer),
        Layer.provide(
          Layer.setConfigProvider(
            ConfigProvider.fromMap(new Map(variable === undefined ? [] : [["CHARLOTTE_DATABASE", variable]]))
          )
        )
      )
    )

const shown = (world: World) =>
  Effect.map(within(world)(Effect.all([HomeDatabase.chosen, HomeDatabase.chosenToRead])), ([work, read]) => {
    expect(read).toEqual(work)
    return DatabaseChoice.show(work)
  })

describe("the database of a home", () => {
  it.scoped(
    "is named by the command line, a variable, the file, or the last process, in this order, and sqlite at first",
    () =>
      Effect.gen(function* () {
        const home = yield* TemporaryDirectory.make
        expect(yield* shown({ home })).toBe("sqlite")
        yield* within({ home, flag: one })(HomeDatabase.leaveNote({}))
        expect(yield* shown({ home })).toBe(one)
        writeFileSync(`${home}/config.yaml`, `database: ${two}\n`)
        expect(yield* shown({ home })).toBe(two)
        expect(yield* shown({ home, variable: three })).toBe(three)
        expect(yield* shown({ home, variable: three, flag: "sqlite" })).toBe("sqlite")
      })
  )

  it.scoped("is noted without its password, for this user only, and no longer once it is the file again", () =>
    Effect.gen(function* () {
      const home = yield* TemporaryDirectory.make
      const note = `${home}/database.json`
      yield* within({ home, variable: "postgres://me:pass-word-1@db.example/one" })(HomeDatabase.leaveNote({}))
      expect(JSON.parse(readFileSync(note, "utf8"))).toEqual({ database: one })
      expect(statSync(note).mode & 0o777).toBe(0o600)
      yield* within({ home, flag: "sqlite" })(HomeDatabase.leaveNote({}))
      expect(existsSync(note)).toBe(false)
      expect(yield* shown({ home })).toBe("sqlite")
    })
  )

  it.scoped("is not taken for sqlite when the note is damaged or cannot be read", () =>
    Effect.gen(function* () {
      const home = yield* TemporaryDirectory.make
      for (const text of ["", "{}", "\0", '{"database":"somewhere"}', '{"database":"postgres://h"}']) {
        writeFileSync(`${home}/database.json`, text)
        const error = yield* Effect.flip(shown({ home }))
        expect(error.message).toBe(
          `the home directory ${home} has a database.json that is damaged, so the database of its jobs is not known; ` +
            "remove that file, and name the database with: charlotte daemon start --database URL"
        )
        expect(yield* shown({ home, flag: two })).toBe(two)
      }
    })
  )

  it.scoped("is that of the note for those who read, when the configuration has an error", () =>
    Effect.gen(function* () {
      const home = yield* TemporaryDirectory.make
      yield* within({ home, flag: one })(HomeDatabase.leaveNote({}))
      const read = within({ home })(Effect.zipRight(breakConfiguration(home), HomeDatabase.chosenToRead))
      expect(DatabaseChoice.show(yield* read)).toBe(one)
    })
  )
})

const breakConfiguration = (home: string) => Effect.sync(() => writeFileSync(`${home}/config.yaml`, "nonsense: 1\n"))
