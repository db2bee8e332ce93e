/** `charlotte logs` on the nodes of a cluster, which ask each other over TLS. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { writeFileSync } from "node:fs"
import * as Charlotte from "../../cli/process/Charlotte.js"
import * as Daemon from "../../cli/process/Daemon.js"
import * as certificate from "../../support/certificate.js"
import { task, unit } from "../../tasks/Jobs.js"
import { freePort } from "../cluster/nodes.js"
import { command, world as makeWorld } from "./daemon.js"
import * as nodes from "./nodes.js"

const files = {
  "charlotte.yaml": "agent: script\nattempts: 1\n",
  "a/IMPLEMENTATION_PLAN.md": unit(),
  "a/01-one.md": task(1, "seq 1 20000; echo one > one", "grep one one")
}

const scene = Effect.gen(function* () {
  const made = yield* makeWorld(() => files)
  const ca = certificate.authority()
  const { cert, key } = ca.issue(["127.0.0.1"])
  const write = (name: string, text: string) => {
    writeFileSync(`${made.root}/${name}`, text, { mode: 0o600 })
    return `${made.root}/${name}`
  }
  const tls = `--tls-cert ${write("cert.pem", cert)} --tls-key ${write("key.pem", key)}`
  const token = `--token-file ${write("token", "a-token-that-all-the-nodes-of-a-cluster-share")}`
  const authority = { NODE_EXTRA_CA_CERTS: write("ca.pem", ca.cert) }
  const world = { ...made, variables: { ...made.variables, ...authority } }
  const node = (name: string) =>
    Effect.gen(function* () {
      const url = `127.0.0.1:${yield* freePort}`
      const started = yield* nodes.start(world, name, `--shared-repositories --listen ${url} ${tls} ${token}`)
      return { ...started, url: `https://${url}` }
    })
  return { a: yield* node("a"), b: yield* node("b"), token, world }
})

describe("charlotte logs on a node that did not run the job", () => {
  it.scopedLive(
    "prints the same bytes, and when the other node is gone the end, and where the rest is",
    () =>
      Effect.gen(function* () {
        const { a, b, token, world } = yield* scene
        const id = yield* Daemon.submit(a)
        expect((yield* command(a, `watch ${id}`)).code).toBe(0)
        const words = `logs ${id} --task 1 --agent`
        // The node with the file is the one whose home has it.
        const isOwner = yield* Charlotte.run(a, `test -d ${a.home}/logs/${id}/a`)
        const { other, owner } = isOwner.code === 0 ? { owner: a, other: b } : { owner: b, other: a }
        const whole = yield* command(owner, words)
        expect(whole).toMatchObject({ code: 0, err: "" })
        expect(whole.out).toContain("\n1\n2\n3\n".slice(1))
        expect(yield* command(other, words)).toEqual(whole)
        expect(
          yield* command({ ...world, home: `${world.root}/none` }, `${words} --server ${other.url} ${token}`)
        ).toEqual(whole)

        expect((yield* command(owner, "daemon stop")).code).toBe(0)
        const rest = yield* command(other, words)
        expect([rest.code, rest.err]).toEqual([0, ""])
        const [first = "", ...lines] = rest.out.split("\n")
        expect(first).toMatch(
          /^\[charlotte: the log is on \S+, and cannot be read there \(.+\); this is what is recorded/
        )
        const end = lines.join("\n")
        expect(whole.out.endsWith(end)).toBe(true)
        expect(end.length).toBeGreaterThan(16_000)
      }),
    300_000
  )
})
