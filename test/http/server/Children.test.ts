/** The children of a job over HTTP: both ways, and page by page. */
import { describe, expect, it } from "@effect/vitest"
import { JobKind, RunStore } from "charlotte"
import * as Http from "charlotte/http"
import { Array, Context, Effect, Layer, Schema } from "effect"
import { unknownId } from "../../support/jobs.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"

class Part extends JobKind.Tag<Part>()("part", { config: Schema.Struct({ n: Schema.Number }) }) {}

class Whole extends JobKind.Tag<Whole>()("whole", { config: Schema.Struct({}) }) {}

const count = 102

const kinds = Layer.merge(
  Part.layer({ run: () => Effect.void }),
  Whole.layer({
    run: ({ child }) =>
      Effect.forEach(Array.range(1, count), (n) => child(Part, { n }, { name: `part ${n}`, wait: false }))
  })
).pipe(Layer.provideMerge(RunStore.layerMemory))

/** A job that has ended, and a client of its server. */
const make = Effect.gen(function* () {
  const socket = `${yield* TemporaryDirectory.make}/socket`
  const api = Http.JobsApi.make([Whole, Part])
  const services = yield* Layer.build(
    Layer.provideMerge(Http.Server.layer({ listen: { socket }, drain: 200, api }), kinds)
  )
  const manager = Context.get(services, Whole)
  const id = yield* manager.start({})
  yield* manager.await(id)
  return { id, client: yield* Http.JobClient.make({ socket }) }
})

describe("the children of a job over HTTP", () => {
  it.scopedLive("are linked both ways, and listed in pages, newest first", () =>
    Effect.gen(function* () {
      const { client, id } = yield* make
      const named = (first: number, last: number) => Array.range(first, last).map((n) => `part ${n}`)
      const names = (page?: Parameters<typeof client.children>[1]) =>
        Effect.map(client.children(id, page), (children) => children.map(({ name }) => name))

      const { children = [] } = yield* client.get(id)
      expect(children.map(({ name }) => name)).toEqual(named(3, count))
      const [child] = children
      expect({ ...child }).toMatchObject({ kind: "part", onParentStop: "stop", jobId: expect.any(String) })
      expect(child && (yield* client.get(child.jobId)).parent).toBe(id)

      expect(yield* names()).toEqual(named(3, count).toReversed())
      expect(yield* names({ limit: 1_000 })).toEqual(named(1, count).toReversed())
      expect(child && (yield* names({ before: child.jobId }))).toEqual(["part 2", "part 1"])
      expect(yield* Effect.flip(client.children(unknownId))).toMatchObject({ _tag: "JobNotFound" })
    })
  )
})
