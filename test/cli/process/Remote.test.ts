/** A daemon that other machines reach, and commands of one that has no home. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import * as certificate from "../../support/certificate.js"
import * as Charlotte from "./Charlotte.js"
import * as Daemon from "./Daemon.js"
import * as Tasks from "./Tasks.js"

const token = "a-token-that-all-the-nodes-of-a-cluster-share"

const scene = Effect.gen(function* () {
  const world = yield* Charlotte.world(() => Tasks.simple)
  const ca = certificate.authority()
  const { cert, key } = ca.issue(["127.0.0.1"])
  const write = (name: string, text: string) => {
    writeFileSync(`${world.root}/${name}`, text, { mode: 0o600 })
    return `${world.root}/${name}`
  }
  const options = `--tls-cert ${write("cert.pem", cert)} --tls-key ${write("key.pem", key)} --token-file ${write("token", token)}`
  const authority = write("ca.pem", ca.cert)
  const elsewhere = { CHARLOTTE_HOME: `${world.root}/elsewhere`, NODE_EXTRA_CA_CERTS: authority }
  /** As on another machine. */
  const remote = (words: string) =>
    Charlotte.run(world, `exec charlotte ${words} --token-file ${world.root}/token`, { variables: elsewhere })
  /** Where it serves TLS, by the note in its home. */
  const url = () => /"url":"(https:[^"]+)"/.exec(readFileSync(`${world.home}/lock.json`, "utf8"))?.[1] ?? "nowhere"
  return { elsewhere, options, remote, url, world }
})

describe("daemon on another machine", () => {
  it.scopedLive("runs, shows and stops jobs for those who have its token, and keeps its port over a restart", () =>
    Effect.gen(function* () {
      const { elsewhere, options, remote, url, world } = yield* scene
      yield* Daemon.up(world, { script: `exec charlotte daemon start --listen 127.0.0.1:0 ${options}` })
      const at = url()
      expect(at).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
      const ran = yield* remote(`run tasks --server ${at}`)
      expect([ran.code, ran.err]).toEqual([0, ""])
      const logs = yield* remote(`logs latest --gate --server ${at}`)
      expect([logs.code, logs.err]).toEqual([0, ""])
      expect(logs.out).toBe((yield* Charlotte.run(world, "exec charlotte logs latest --gate")).out)
      expect(existsSync(elsewhere.CHARLOTTE_HOME)).toBe(false)

      expect((yield* Charlotte.run(world, "exec charlotte daemon restart")).code).toBe(0)
      expect(url()).toBe(at)
      expect((yield* remote(`jobs --server ${at}`)).code).toBe(0)
      const untrusted = yield* Charlotte.run(
        world,
        `exec charlotte jobs --server ${at} --token-file ${world.root}/token`
      )
      expect(untrusted.code).toBe(2)
      expect(untrusted.err).toContain("NODE_EXTRA_CA_CERTS")
      expect(readFileSync(`${world.home}/logs/daemon.log`, "utf8")).not.toContain(token)
      yield* Daemon.down(world)
    })
  )

  it.scopedLive("is not started beyond loopback without TLS, and does not end where it could not restart", () =>
    Effect.gen(function* () {
      const { world } = yield* scene
      const problem =
        "charlotte: cannot listen on 0.0.0.0:7433: other machines could reach it, and read the token on the way: " +
        "add --tls-cert FILE --tls-key FILE --token-file FILE, or --insecure-http in a network that is private\n"
      const started = yield* Charlotte.run(world, "exec charlotte daemon start --listen 0.0.0.0:7433")
      expect(started).toMatchObject({ code: 2, err: problem })
      const { pid } = yield* Daemon.up(world)
      const restarted = yield* Charlotte.run(world, "exec charlotte daemon restart --listen 0.0.0.0:7433")
      expect(restarted).toMatchObject({ code: 2, err: problem })
      expect(Daemon.isAlive(pid)).toBe(true)
      yield* Daemon.down(world)
    })
  )
})
