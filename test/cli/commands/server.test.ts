/** Commands for the daemon of another machine, over TLS. */
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import * as Http from "charlotte/http"
import { Step } from "charlotte/testing"
import { Effect, Exit, Redacted, Scope } from "effect"
import { mkdirSync, writeFileSync } from "node:fs"
import { getCACertificates, setDefaultCACertificates } from "node:tls"
import * as certificate from "../../support/certificate.js"
import { config } from "../../support/jobs.js"
import * as Repository from "../../support/Repository.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import * as HttpWorld from "../../http/world.js"
import * as CommandLine from "./CommandLine.js"

const ca = certificate.authority()
const { cert, key } = ca.issue(["127.0.0.1"])
const tls: Http.Server.Tls = { cert, key: Redacted.make(key) }
const trusted = getCACertificates("default")

let sandbox: Repository.Sandbox
let close = Effect.void

beforeAll(async () => {
  setDefaultCACertificates([...trusted, ca.cert])
  const scope = Effect.runSync(Scope.make())
  close = Scope.close(scope, Exit.void)
  sandbox = await Effect.runPromise(Scope.extend(Repository.sandbox, scope))
})

afterAll(async () => {
  setDefaultCACertificates(trusted)
  await Effect.runPromise(close)
})

/** A daemon behind TLS, and the command line of a machine that has no home. */
const scene = (options: Partial<Http.Server.Options> = {}) =>
  Effect.gen(function* () {
    const world = yield* HttpWorld.make({ listen: [{ port: 0, tls }], ...options })
    const url = `https://127.0.0.1:${world.port}`
    const client = yield* Http.JobClient.make({ url, token: HttpWorld.token })
    const tokenFile = `${world.directory}/token`
    writeFileSync(tokenFile, `${Redacted.value(HttpWorld.token)}\n`, { mode: 0o600 })
    const run = (words: string, variables: Readonly<Record<string, string>> = {}) =>
      CommandLine.make({
        environment: sandbox.environment,
        variables: { CHARLOTTE_HOME: `${world.directory}/none`, ...variables }
      })(words.split(" ")).answer
    const known = { CHARLOTTE_SERVER: url, CHARLOTTE_TOKEN: Redacted.value(HttpWorld.token) }
    return { ...world, client, known, run, tokenFile, url, script: HttpWorld.script(world) }
  })

describe("--server", () => {
  it.scopedLive("lists, shows, signals, stops and follows the jobs of the daemon there", () =>
    Effect.gen(function* () {
      const { client, run, script, tokenFile, url } = yield* scene()
      const id = yield* client.start(config)
      const there = `--server ${url} --token-file ${tokenFile}`
      expect((yield* run(`jobs --json ${there}`)).out).toContain(id)
      expect(JSON.parse((yield* run(`show latest --json ${there}`)).out)).toMatchObject({ id, status: "running" })
      expect((yield* run(`pin ${id} ${there}`)).code).toBe(0)
      expect(yield* run(`stop ${id} ${there} --json`)).toMatchObject({ code: 0, err: "" })
      const next = yield* client.start(config)
      yield* script.send(next, Step.succeed("done"))
      expect(yield* run(`watch ${next} --json ${there}`)).toMatchObject({ code: 0 })
    })
  )

  it.scopedLive("and the token may be in the environment", () =>
    Effect.gen(function* () {
      const { client, known, run, tokenFile, url } = yield* scene()
      const id = yield* client.start(config)
      const asFile = { CHARLOTTE_SERVER: url, CHARLOTTE_TOKEN_FILE: tokenFile }
      for (const variables of [known, asFile]) expect((yield* run("show latest --json", variables)).out).toContain(id)
      // The command line has the last word.
      expect((yield* run(`jobs --server ${url}`, { ...known, CHARLOTTE_SERVER: "https://127.0.0.1:1" })).code).toBe(0)
    })
  )

  it.scopedLive("prints the logs that the daemon there has, byte for byte, and follows them", () =>
    Effect.gen(function* () {
      const logs = yield* TemporaryDirectory.make
      const { client, known, run, script } = yield* scene({ logs })
      const id = yield* client.start(config)
      expect(yield* run("logs latest", known)).toMatchObject({ code: 2 })
      mkdirSync(`${logs}/${id}/api`, { recursive: true })
      writeFileSync(`${logs}/${id}/api/01-attempt-1.1.agent.log`, "what the agent\u001b[1m says\n")
      writeFileSync(`${logs}/${id}/api/01-attempt-1.1.gate.log`, "ok\n")
      const agent = "what the agent\u001b[1m says\n"
      expect(yield* run(`logs ${id} --agent`, known)).toEqual({ code: 0, out: agent, err: "" })
      expect((yield* run(`logs ${id}`, known)).out).toContain("==> api 1, gate, attempt 1 <==\nok\n")
      const json = yield* run(`logs ${id} --task 1 --gate --json`, known)
      const file = `${id}/api/01-attempt-1.1.gate.log`
      expect(JSON.parse(json.out)).toEqual({ unit: "api", task: 1, attempt: "1", what: "gate", file, text: "ok\n" })

      const following = yield* Effect.fork(run(`logs ${id} --agent --follow`, known))
      writeFileSync(`${logs}/${id}/api/01-attempt-1.1.agent.log`, "and more\n", { flag: "a" })
      yield* script.send(id, Step.succeed("done"))
      expect((yield* following).out).toContain(`${agent}and more\n`)
    })
  )

  const refused = (server: string, problem: string) =>
    it.scopedLive(`refuses ${server} before any request`, () =>
      Effect.gen(function* () {
        const { known, run } = yield* scene()
        const { code, err } = yield* run("jobs", { ...known, CHARLOTTE_SERVER: server })
        expect([code, err]).toEqual([2, `charlotte: ${problem}\n`])
      })
    )

  const expected = "--server (or CHARLOTTE_SERVER) must be https://HOST:PORT, or http on a loopback address"
  refused("node1:7433", `${expected}, and is node1:7433`)
  refused("somewhere", expected)
  refused("https://node1:7433/path", `${expected}, and is https://node1:7433/path`)
  refused(
    "https://me:secret@node1:7433",
    `${expected}, without a password: name the token by --token-file FILE or CHARLOTTE_TOKEN`
  )
  refused(
    "http://node1:7433",
    "http://node1:7433 would send the token where others can read it: use https, or a tunnel to a loopback address: ssh -L 7433:HOST:PORT"
  )

  it.scopedLive("says what to do about a token that is missing or wrong", () =>
    Effect.gen(function* () {
      const { directory, known, run, url } = yield* scene()
      expect(yield* run("jobs", { CHARLOTTE_SERVER: url })).toMatchObject({
        code: 2,
        err: "charlotte: the daemon asks for its token: add --token-file FILE, or set CHARLOTTE_TOKEN or CHARLOTTE_TOKEN_FILE\n"
      })
      const wrong = yield* run("jobs", { ...known, CHARLOTTE_TOKEN: "another-token-of-more-than-thirty-two-chars" })
      expect(wrong.code).toBe(2)
      expect(wrong.err).toContain("name that of the daemon by --token-file FILE")
      expect((yield* run("jobs", { ...known, CHARLOTTE_TOKEN: "short" })).code).toBe(2)
      const missing = yield* run(`jobs --token-file ${directory}/missing`, known)
      expect(missing).toMatchObject({ code: 2 })
      expect(missing.err).toContain("ENOENT")
    })
  )

  it.scopedLive("says what to do about a certificate that is not trusted, is over, or is for another name", () =>
    Effect.gen(function* () {
      const of = (of: certificate.Certificate) =>
        Effect.flatMap(
          scene({ listen: [{ port: 0, tls: { cert: of.cert, key: Redacted.make(of.key) } }] }),
          ({ known, run }) => run("stop --all", known)
        )
      const untrusted = yield* of(certificate.authority().issue(["127.0.0.1"]))
      expect(untrusted.code).toBe(2)
      expect(untrusted.err).toContain("set NODE_EXTRA_CA_CERTS to the file with that of the CA")
      const over = yield* of(ca.issue(["127.0.0.1"], { until: new Date(Date.now() - 3_600_000) }))
      expect(over.err).toContain("CERT_HAS_EXPIRED; renew the certificate of the daemon")
      const other = yield* of(ca.issue(["node1.example.org"]))
      expect(other.err).toContain("its certificate is for another name: use one that is in it")
      expect([over.code, other.code]).toEqual([2, 2])
    })
  )

  it.scopedLive("exits with 69 where no daemon can be reached", () =>
    Effect.gen(function* () {
      const { known, run } = yield* scene()
      const nothing = yield* run("watch", { ...known, CHARLOTTE_SERVER: "https://127.0.0.1:1" })
      expect(nothing.code).toBe(69)
      expect(nothing.err).toContain(
        "no server listens on https://127.0.0.1:1; check the URL, or start the daemon there"
      )
      const { err } = yield* run("jobs", { ...known, CHARLOTTE_SERVER: "https://nowhere.invalid:7433" })
      expect(err).toContain("check the URL and the network")
    })
  )

  const local: ReadonlyArray<readonly [name: string, rest?: string]> = [
    ["daemon start"],
    ["daemon status"],
    ["doctor"],
    ["open"],
    ["prune", "--yes"],
    ["cluster status"],
    ["export-home", "records.gz"],
    ["import-home", "records.gz --database postgres://app@localhost/app"]
  ]
  for (const [name, rest] of local)
    it.scopedLive(`goes with no command for this machine only: charlotte ${name}`, () =>
      Effect.gen(function* () {
        const { known, run } = yield* scene()
        expect(yield* run(rest === undefined ? name : `${name} ${rest}`, known)).toMatchObject({
          code: 2,
          err: `charlotte: charlotte ${name} is about the daemon and the home of this machine only; leave out --server, and unset CHARLOTTE_SERVER\n`
        })
      })
    )
})
