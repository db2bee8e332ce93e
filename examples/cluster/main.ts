/**
 * Three nodes share their jobs on one PostgreSQL, all on this machine; one is killed. `npm run example:cluster` starts a server in a
 * temporary directory, which is removed at the end; `npm run example:cluster -- --database postgres://…` uses a database of yours.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Clock, Console, Effect } from "effect"
import { chmodSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import * as Node from "./nodeProcess.js"
import * as Postgres from "./postgres.js"
import * as Progress from "./progress.js"

// Closing the terminal ends it as Ctrl-C does.
process.once("SIGHUP", () => process.kill(process.pid, "SIGTERM"))

const { values } = parseArgs({ options: { database: { type: "string" } } })

const pages = 12

const directory = Effect.acquireRelease(
  Effect.sync(() => {
    const path = mkdtempSync(join(tmpdir(), "charlotte-cluster-"))
    // The directory of the server is in it, and the server may run as another user.
    chmodSync(path, 0o711)
    return path
  }),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const program = Effect.gen(function* () {
  const path = yield* directory
  yield* Console.log(values.database === undefined ? "Starting PostgreSQL and three nodes …" : "Starting three nodes …")
  const url = values.database ?? (yield* Postgres.start(path))
  const start = (name: string) => Node.start(name, path, url)
  const nodes = yield* Effect.all([start("a"), start("b"), start("c")], { concurrency: 3 })
  const [a, b, c] = nodes
  // All at once: each waits until its jobs are handed over.
  yield* Effect.addFinalizer(() => Effect.forEach(nodes, ({ signal }) => signal("SIGTERM")))
  for (const { address, name, pid } of nodes) yield* Console.log(`  ${name}  ${address}  pid ${pid}`)

  const began = yield* Clock.currentTimeMillis
  const say = (text: string) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Console.log(`${((now - began) / 1_000).toFixed(1).padStart(5)} s  ${text}`)
    )

  const titles = [1, 2, 3, 4, 5, 6].map((number) => `report ${number}`)
  const ids = yield* Effect.forEach(titles, (title) => a.reports.start({ title, pages }))
  yield* say(`started ${titles.length} reports of ${pages} pages, all by a`)

  const { follow, on, until } = yield* Progress.make(a)
  const nameOf = (address: string) => nodes.find((node) => node.address === address)?.name ?? address
  for (const [i, id] of ids.entries()) {
    const title = titles[i] ?? ""
    const continued = (address: string, page: number) =>
      page === 1 ? Effect.void : say(`${title} continues on ${nameOf(address)} with page ${page}`)
    yield* Effect.forkScoped(follow(id, title, continued))
  }
  yield* until((reports) => reports.length === titles.length && reports.every(({ address }) => address !== ""))
  for (const node of nodes) {
    const own = yield* on(node)
    yield* say(`${node.name} works on ${own.map(({ title }) => title).join(", ")}`)
  }

  const [first] = yield* on(a)
  if (first !== undefined) {
    const { mode } = yield* c.reports.stop(first.id)
    yield* say(`${first.title}, which runs on a, is stopped from c: ${mode}`)
  }

  yield* until((reports) => reports.every(({ id, written }) => id === first?.id || written >= 3))
  yield* b.signal("SIGKILL")
  yield* say("kill -9 of b: after 10 seconds without a sign of life, others continue its reports")
  yield* until((reports) => reports.every(({ address }) => address !== b.address))

  for (const { attempt, config, status } of yield* Effect.forEach(ids, (id) => c.reports.await(id))) {
    yield* say(`${config.title} is ${status}${attempt > 1 ? `, attempt ${attempt}` : ""}`)
  }
}).pipe(
  Effect.scoped,
  Effect.onInterrupt(() => Console.log("interrupted; the nodes have ended"))
)

NodeRuntime.runMain(program)
