import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { ConfigProvider, DateTime, Effect, Layer } from "effect"
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs"
import { charlotte } from "../../../src/cli/parser/commands.js"
import * as Service from "../../../src/cli/service/Service.js"
import * as Home from "../../../src/daemon/home/Home.js"
import * as LockOwner from "../../../src/daemon/home/LockOwner.js"
import { KernelRef } from "../../../src/internal/ProcessIdentity.js"
import { ParentEnvironment } from "../../../src/process/ChildEnvironment.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import * as Capture from "../Capture.js"

const ada: Service.Host = { platform: "linux", uid: 1000, user: "ada" }

const enabled = "ActiveState=active\nSubState=running\nUnitFileState=enabled\nNeedDaemonReload=no\n"

/** A user with a scripted systemd, which notes how it is called. */
const make = Effect.gen(function* () {
  const root = yield* TemporaryDirectory.make
  const [bin, home] = [`${root}/bin`, `${root}/home of 100% "Ada"`]
  mkdirSync(bin)
  mkdirSync(home, { mode: 0o700 })
  const write = (name: string, text: string) => writeFileSync(`${root}/${name}`, text)
  const script = (name: string, lines: string) =>
    writeFileSync(`${bin}/${name}`, `#!/bin/sh\nPATH=/usr/bin:/bin\n${lines}\n`, { mode: 0o755 })
  script(
    "systemctl",
    `echo "$*" >> '${root}/calls'
    [ ! -e '${root}/refused' ] || { cat '${root}/refused' >&2; exit 1; }
    case $2 in
      show) cat '${root}/state' ;;
      start) [ ! -e '${root}/ready.json' ] || mv '${root}/ready.json' '${home}/lock.json' ;;
    esac`
  )
  script("loginctl", `[ -e '${root}/lingers' ] && echo Linger=yes || { echo "no such user" >&2; exit 1; }`)
  script("journalctl", `echo "charlotte: the port 7433 is in use"`)
  write("calls", "")
  write("state", enabled)
  const variables = { HOME: root, PATH: `${bin}:relative:/usr/bin:/bin`, ANTHROPIC_API_KEY: "sk-secret" }
  return {
    root,
    home,
    write,
    script,
    unit: `${root}/.config/systemd/user/charlotte.service`,
    calls: () => readFileSync(`${root}/calls`, "utf8").split("\n").filter(Boolean),
    run: (
      argv: ReadonlyArray<string>,
      { host = ada, path = variables.PATH }: { readonly host?: Service.Host; readonly path?: string } = {}
    ) =>
      Capture.run(charlotte, argv, { columns: 200 }).pipe(
        Effect.provideService(Service.HostRef, host),
        Effect.provideService(ParentEnvironment, { ...variables, PATH: path }),
        Effect.withConfigProvider(
          ConfigProvider.fromMap(
            new Map([
              ["CHARLOTTE_HOME", home],
              ["HOME", root]
            ])
          )
        )
      )
  }
})

describe("charlotte daemon install", () => {
  it.scoped("writes and enables a unit without secrets, and names the command for lingering", () =>
    Effect.gen(function* () {
      const user = yield* make
      const { code, err, out } = yield* user.run(["daemon", "install", "--listen", "7433"])
      expect([code, err]).toEqual([0, ""])
      expect(out).toContain(user.unit)
      expect(out).toContain("loginctl enable-linger")
      expect(out).toContain("start it with: charlotte daemon start\n")
      expect(user.calls()).toEqual([
        "--user show --property=Version",
        "--user daemon-reload",
        "--user enable charlotte.service",
        expect.stringContaining("show charlotte.service")
      ])
      const unit = readFileSync(user.unit, "utf8")
      expect(unit).toMatch(/^ExecStart=.* "daemon" "start" "--foreground" "--listen" "127.0.0.1:7433"$/m)
      expect(unit).toContain(`Environment="PATH=${user.root}/bin:/usr/bin:/bin"\n`)
      expect(unit).toContain(`Environment="CHARLOTTE_HOME=${user.root}/home of 100%% \\"Ada\\""\n`)
      expect(unit).toContain(`EnvironmentFile=-${user.root}/home of 100%% "Ada"/env\n`)
      expect(unit).toMatch(/^KillMode=mixed\nTimeoutStopSec=15\n/m)
      expect(unit).not.toContain("sk-secret")
      expect(statSync(`${user.home}/env`).mode & 0o777).toBe(0o600)

      writeFileSync(`${user.home}/env`, "KEY=kept\n")
      user.write("lingers", "")
      const again = yield* user.run(["daemon", "install", "--json"])
      expect(JSON.parse(again.out)).toMatchObject({
        service: { file: user.unit, home: user.home },
        findings: expect.arrayContaining([expect.objectContaining({ check: "lingering", status: "ok" })])
      })
      expect(readFileSync(`${user.home}/env`, "utf8")).toBe("KEY=kept\n")
      expect(readFileSync(user.unit, "utf8")).not.toContain("--listen")
    })
  )

  it.scoped("writes nothing for root, without systemd, or over a unit of someone else", () =>
    Effect.gen(function* () {
      const user = yield* make
      const refused = (options?: Parameters<typeof user.run>[1]) =>
        Effect.map(user.run(["daemon", "install"], options), ({ code, err }) => {
          expect(existsSync(`${user.home}/env`)).toBe(false)
          return `${code}: ${err}`
        })
      expect(yield* refused({ host: { ...ada, uid: 0 } })).toMatch(/^2: charlotte: agents and gates would run as root/)
      expect(yield* refused({ host: { ...ada, platform: "darwin" } })).toMatch(/^2: .*is not built for darwin/)
      expect(yield* refused({ path: "/nowhere" })).toMatch(/^1: .*systemctl --user show .*is not on the PATH/)
      user.write("refused", "Failed to connect to bus: No medium found\n")
      expect(yield* refused()).toMatch(/^1: .*has failed: Failed to connect to bus: No medium found$/m)
      expect(existsSync(user.unit)).toBe(false)

      mkdirSync(`${user.root}/.config/systemd/user`, { recursive: true })
      writeFileSync(user.unit, "[Service]\n")
      expect(yield* refused()).toBe(`2: charlotte: ${user.unit} was not written by this command; move it away\n`)
      expect(readFileSync(user.unit, "utf8")).toBe("[Service]\n")
    })
  )

  it.scoped("leaves the service of another home alone", () =>
    Effect.gen(function* () {
      const user = yield* make
      yield* user.run(["daemon", "install"])
      const unit = readFileSync(user.unit, "utf8").replace("home of", "house of")
      writeFileSync(user.unit, unit)
      for (const command of ["install", "uninstall"]) {
        const { code, err } = yield* user.run(["daemon", command])
        expect([code, err]).toEqual([2, expect.stringContaining(`${user.root}/house of 100% "Ada"`)])
      }
      expect(readFileSync(user.unit, "utf8")).toBe(unit)
      const before = user.calls()
      expect((yield* user.run(["daemon", "stop"])).out).toBe("no daemon is running\n")
      expect(user.calls()).toEqual(before)
    })
  )
})

describe("a daemon that is a service", () => {
  it.scoped("is started by systemctl, with the options of its unit only", () =>
    Effect.gen(function* () {
      const user = yield* make
      yield* user.run(["daemon", "install"])
      const { self } = yield* KernelRef
      const note = {
        what: "daemon",
        version: "0.1.0",
        since: yield* DateTime.now,
        process: self,
        file: "none"
      } as const
      const ready = new LockOwner.LockOwner({ ...note, addresses: [{ socket: `${user.home}/socket` }] })
      yield* Effect.provide(LockOwner.leave(ready), Layer.provideMerge(Home.layerAt(user.home), NodeContext.layer))
      renameSync(`${user.home}/lock.json`, `${user.root}/ready.json`)

      for (const command of ["start", "restart"]) {
        const refused = yield* user.run(["daemon", command, "--listen", "7433"])
        expect([refused.code, refused.err]).toEqual([
          2,
          expect.stringContaining("change that with: charlotte daemon install --listen 127.0.0.1:7433\n")
        ])
      }
      expect(user.calls().filter((call) => call.includes("start"))).toEqual([])
      const { code, err, out } = yield* user.run(["daemon", "start"])
      expect([code, err, out]).toEqual([0, "", expect.stringContaining("is ready")])
      expect(user.calls()).toContain("--user start charlotte.service")
    })
  )

  it.scoped("says why it does not start, and whether systemd tries again", () =>
    Effect.gen(function* () {
      const user = yield* make
      yield* user.run(["daemon", "install"])
      user.write("state", "ActiveState=activating\nSubState=auto-restart\nExecMainStatus=1\n")
      expect(yield* user.run(["daemon", "start"])).toEqual({
        code: 1,
        out: "",
        err:
          "charlotte: the port 7433 is in use\n" +
          "charlotte: systemd tries again every 5 seconds; end that with: charlotte daemon stop\n"
      })
      user.write("state", "ActiveState=failed\nSubState=failed\nExecMainStatus=2\n")
      user.script("journalctl", "exit 1")
      expect(yield* user.run(["daemon", "start"])).toMatchObject({
        code: 2,
        err: expect.stringContaining("see: journalctl --user --unit charlotte.service")
      })
      user.write("refused", "Failed to connect to bus: No medium found\n")
      expect(yield* user.run(["daemon", "start"])).toMatchObject({
        code: 1,
        err: expect.stringContaining("No medium found")
      })
    })
  )

  it.scoped("is stopped by systemctl, which may be about to start it, and is none once uninstalled", () =>
    Effect.gen(function* () {
      const user = yield* make
      yield* user.run(["daemon", "install"])
      expect((yield* user.run(["daemon", "stop"])).out).toBe("no daemon is running\n")
      expect(user.calls().at(-1)).toBe("--user stop charlotte.service")

      const { code, out } = yield* user.run(["daemon", "uninstall"])
      expect([code, out]).toEqual([0, expect.stringContaining("is removed")])
      expect(user.calls().slice(-2)).toEqual(["--user disable --now charlotte.service", "--user daemon-reload"])
      expect([existsSync(user.unit), existsSync(`${user.home}/env`)]).toEqual([false, true])
      expect(yield* user.run(["daemon", "uninstall"])).toMatchObject({ code: 2 })
    })
  )

  it.scoped("is checked by doctor: lingering, program, agents and variables as the unit sees them", () =>
    Effect.gen(function* () {
      const user = yield* make
      const check = Effect.map(
        Effect.suspend(() => user.run(["doctor", "--json"])),
        ({ out }) => {
          const {
            findings
          }: { readonly findings: ReadonlyArray<{ readonly check: string; readonly status: string }> } = JSON.parse(out)
          return Object.fromEntries(
            findings
              .filter(({ check }) => check.startsWith("service") || check === "lingering")
              .map(({ check, status }) => [check, status])
          )
        }
      )
      expect(yield* check).toEqual({})
      yield* user.run(["daemon", "install"], { path: `${user.root}/bin:/usr/bin:/bin` })
      const good = { service: "ok", "service node": "ok", "service agents": "ok", "service env": "ok" }
      expect(yield* check).toEqual({ ...good, lingering: "warning" })

      user.write("lingers", "")
      user.write("state", enabled.replace("UnitFileState=enabled", "UnitFileState=disabled"))
      chmodSync(`${user.home}/env`, 0o644)
      const unit = readFileSync(user.unit, "utf8")
      user.script("claude", "exit 0")
      writeFileSync(
        user.unit,
        unit.replace(`PATH=${user.root}/bin:`, "PATH=").replace(/ "[^ ]*" "daemon"/, ' "/nowhere/bin.cjs" "daemon"')
      )
      expect(yield* check).toEqual({
        service: "warning",
        lingering: "ok",
        "service node": "problem",
        "service agents": "warning",
        "service env": "warning"
      })
    })
  )
})
