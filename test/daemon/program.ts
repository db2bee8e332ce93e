/**
 * A process that takes locks when it is told to, one line for each, and tells what came of it:
 *
 * - `home DIRECTORY`: the lock of a home
 * - `file PATH`: a kernel lock
 * - `own PATH`: the kind `tasks` of a database
 * - `parent PATH`: a kernel lock, and then starts a process that outlives this one
 * - `release`: gives up what it holds
 *
 * It ends when its standard input does.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Context, Effect, Either, Exit, Layer, Option, Scope, Stream } from "effect"
import * as NodeStream from "@effect/platform-node/NodeStream"
import { Database, RunStore } from "charlotte"
import { spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import * as Home from "../../src/daemon/home/Home.js"
import * as HomeLock from "../../src/daemon/home/HomeLock.js"
import * as FileLock from "../../src/store/sqlite/FileLock.js"
import type { Verdict } from "./Contender.js"

const tell = (verdict: Verdict) => Effect.sync(() => process.stdout.write(`${JSON.stringify(verdict)}\n`))

const home = (path: string) => Layer.provide(HomeLock.layer({ what: "run", version: "1.2.3" }), Home.layerAt(path))

const own = (filename: string) =>
  Effect.flatMap(Layer.build(Layer.provide(RunStore.layer, Database.layer({ filename }))), (store) =>
    Context.get(store, RunStore.RunStore).owners.acquire({ kind: "tasks", id: randomUUID() })
  )

const take = (what: string, path: string) =>
  Effect.gen(function* () {
    if (what === "home") yield* Layer.build(home(path))
    else if (what === "own") yield* own(path)
    else yield* FileLock.acquire(path)
  })

/** It holds nothing of ours but what the kernel hands on. */
const outlive = (): number => {
  const child = spawn("sleep", ["1000"], { detached: true, stdio: "ignore" })
  child.unref()
  return child.pid ?? 0
}

let held = Option.none<Scope.CloseableScope>()
const release = Effect.suspend(() => {
  const scope = held
  held = Option.none()
  return Option.match(scope, { onNone: () => Effect.void, onSome: (scope) => Scope.close(scope, Exit.void) })
})

const obey = (line: string) =>
  Effect.gen(function* () {
    const [what = "", path = ""] = line.split(" ")
    yield* release
    if (what === "release") return yield* tell({ tag: "released" })
    const scope = yield* Scope.make()
    const taken = yield* Effect.either(Scope.extend(take(what, path), scope))
    if (Either.isRight(taken)) {
      held = Option.some(scope)
      return yield* tell({ tag: "won", child: what === "parent" ? outlive() : 0 })
    }
    yield* Scope.close(scope, Exit.void)
    const { left: error } = taken
    const holder =
      error._tag === "HomeBusy" ? error.holder?.process.pid : error._tag === "AlreadyManaged" ? error.pid : undefined
    return yield* tell({ tag: "lost", error: error._tag, message: error.message, holder: holder ?? 0 })
  })

const program = NodeStream.stdin.pipe(
  Stream.decodeText(),
  Stream.splitLines,
  Stream.runForEach(obey),
  Effect.zipRight(release)
)

NodeRuntime.runMain(Effect.zipRight(tell({ tag: "ready" }), program).pipe(Effect.provide(NodeContext.layer)))
