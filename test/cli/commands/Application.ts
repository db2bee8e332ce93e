/** A home that an application holds, with kinds of jobs of its own, and the command line in it. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { Server } from "charlotte/http"
import { ConfigProvider, Context, Effect, Layer } from "effect"
import * as Home from "../../../src/daemon/home/Home.js"
import * as HomeLock from "../../../src/daemon/home/HomeLock.js"
import { version } from "../../../src/http/contract/Version.js"
import * as Charlotte from "../process/Charlotte.js"
import * as CommandLine from "./CommandLine.js"

/** Serves an application on the socket of a home that it holds. */
export const serve = <R, E>(application: (socket: string) => Layer.Layer<R | Server.Server, E>) =>
  Effect.gen(function* () {
    const world = yield* Charlotte.world(() => ({}))
    const variables = { CHARLOTTE_HOME: world.home }
    const command = CommandLine.make({ ...world, variables })
    const services = yield* Effect.gen(function* () {
      const { socket } = yield* Home.Home
      const services = yield* Layer.build(application(socket))
      const { announce } = yield* HomeLock.make({ what: "daemon", version })
      yield* announce(Context.get(services, Server.Server).addresses)
      return services
    }).pipe(
      Effect.provide(Layer.provideMerge(Home.layer, NodeContext.layer)),
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables))))
    )
    return { services, run: (...argv: ReadonlyArray<string>) => command(argv).answer }
  })
