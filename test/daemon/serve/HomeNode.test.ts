/** Whether the daemon of a home is a node. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { ConfigProvider, Effect, Either, Layer, Option } from "effect"
import { writeFileSync } from "node:fs"
import * as Configuration from "../../../src/daemon/config/Configuration.js"
import * as DatabaseChoice from "../../../src/daemon/config/DatabaseChoice.js"
import type { NodeSettings } from "../../../src/daemon/config/NodeSettings.js"
import * as Home from "../../../src/daemon/home/Home.js"
import * as HomeDatabase from "../../../src/daemon/home/HomeDatabase.js"
import * as HomeNode from "../../../src/daemon/serve/HomeNode.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"

const database = "postgres://me@db.example/jobs"

describe("the daemon of a home", () => {
  it.scoped("is the node that the last one was, until its command line names a database", () =>
    Effect.gen(function* () {
      const home = yield* TemporaryDirectory.make
      const as =
        (flags: NodeSettings, database?: string) =>
        <A, E>(effect: Effect.Effect<A, E, Configuration.Configuration | Home.Home | NodeContext.NodeContext>) =>
          effect.pipe(
            Effect.provideService(HomeNode.Flags, flags),
            Effect.provideService(
              HomeDatabase.Flag,
              Option.map(Option.fromNullable(database), (text) => Either.getOrThrow(DatabaseChoice.parse(text)))
            ),
            Effect.provide(
              Configuration.layer.pipe(
                Layer.provideMerge(Home.layerAt(home)),
                Layer.provideMerge(NodeContext.layer),
                Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map())))
              )
            )
          )
      const starts = Effect.zipLeft(
        Effect.map(HomeNode.chosen, Option.getOrUndefined),
        Effect.flatMap(HomeNode.remembered, HomeDatabase.leaveNote)
      )
      const given = { advertise: "10.0.0.5:7440", sharedRepositories: true }
      expect(yield* starts.pipe(as(given, database))).toEqual(given)
      expect(yield* starts.pipe(as({}))).toEqual(given)
      expect(yield* starts.pipe(as({ capacity: 4 }))).toEqual({ ...given, capacity: 4 })
      writeFileSync(`${home}/config.yaml`, "advertise: 10.0.0.6:7440\n")
      expect(yield* starts.pipe(as({}))).toEqual({ ...given, capacity: 4, advertise: "10.0.0.6:7440" })
      writeFileSync(`${home}/config.yaml`, "")
      const other = { advertise: "10.0.0.7:7440" }
      expect(yield* starts.pipe(as(other)), "an address begins anew").toEqual(other)
      expect(yield* starts.pipe(as({}))).toEqual(other)
      writeFileSync(`${home}/config.yaml`, "database: sqlite\n")
      expect(yield* HomeNode.chosen.pipe(as({}))).toEqual(Option.none())
      writeFileSync(`${home}/config.yaml`, "")
      expect(yield* starts.pipe(as({}, database))).toBeUndefined()
      expect(yield* starts.pipe(as({}))).toBeUndefined()
    })
  )
})
