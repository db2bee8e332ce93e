/**
 * How PostgreSQL comes to a machine without it, on machines that are made of a directory and stand-ins for commands.
 */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as TemporaryDirectory from "../support/TemporaryDirectory.js"
import { type Machine, programs } from "./installation.js"

interface Options {
  readonly uid: number
  /** Shell that stands in for apt-get; undefined where there is none. */
  readonly aptGet?: string
  readonly hasUser?: boolean
}

const write = (file: string, script: string) => {
  writeFileSync(file, `#!/bin/sh\n${script}\n`)
  chmodSync(file, 0o755)
}

const makeMachine = ({ aptGet, hasUser = true, uid }: Options) =>
  Effect.map(TemporaryDirectory.make, (root): Machine & { readonly calls: () => ReadonlyArray<string> } => {
    const bin = join(root, "bin")
    mkdirSync(bin)
    write(join(bin, "id"), `case "$*" in -u) echo ${uid};; *) ${hasUser ? "echo 42" : "exit 1"};; esac`)
    writeFileSync(join(root, "calls"), "")
    if (aptGet !== undefined) {
      const conf = join(root, "etc/postgresql-common/createcluster.conf")
      write(
        join(bin, "apt-get"),
        `echo "$* | $(tail -n 1 ${conf})" >> ${root}/calls\n${aptGet.replaceAll("ROOT", root)}`
      )
    }
    // The shell and what it calls; /usr/bin has the machine's own apt-get, so it comes last, and PostgreSQL may be in it.
    for (const command of ["sh", "tail", "mkdir", "touch"]) write(join(bin, command), `exec /usr/bin/${command} "$@"`)
    return {
      root,
      path: bin,
      calls: () =>
        readFileSync(join(root, "calls"), "utf8")
          .trim()
          .split("\n")
          .filter((line) => line !== "")
    }
  })

/** What apt-get leaves behind. */
const installs = `case "$*" in
  *install*) mkdir -p ROOT/usr/lib/postgresql/15/bin && touch ROOT/usr/lib/postgresql/15/bin/initdb ROOT/usr/lib/postgresql/15/bin/pg_ctl;;
esac`

const refusalOf = (machine: Machine): string => {
  try {
    programs(machine)
    return ""
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

describe("the programs of PostgreSQL", () => {
  it.scoped("are installed by apt where pg_ctl is missing, without a cluster of Debian, and run as user postgres", () =>
    Effect.gen(function* () {
      const machine = yield* makeMachine({ uid: 0, aptGet: installs })
      const bin = join(machine.root, "usr/lib/postgresql/15/bin")
      expect(programs(machine)).toEqual({
        initdb: join(bin, "initdb"),
        pgCtl: join(bin, "pg_ctl"),
        user: { uid: 42, gid: 42 }
      })
      expect(machine.calls()).toEqual([
        "update -qq | create_main_cluster = false",
        "install -y -qq -o Dpkg::Options::=--force-confold postgresql | create_main_cluster = false"
      ])
      programs(machine)
      expect(machine.calls()).toHaveLength(2)
    })
  )

  it.scoped("are installed with the other settings of Debian's clusters as they were", () =>
    Effect.gen(function* () {
      const machine = yield* makeMachine({ uid: 0, aptGet: installs })
      const directory = join(machine.root, "etc/postgresql-common")
      mkdirSync(directory, { recursive: true })
      writeFileSync(join(directory, "createcluster.conf"), "create_main_cluster = true\nssl = on\n")
      programs(machine)
      expect(readFileSync(join(directory, "createcluster.conf"), "utf8")).toBe(
        "ssl = on\ncreate_main_cluster = false\n"
      )
    })
  )

  it.scoped("are used as they are where they are there, as an ordinary user does", () =>
    Effect.gen(function* () {
      const machine = yield* makeMachine({ uid: 1000, aptGet: "exit 1" })
      for (const program of ["initdb", "pg_ctl"]) write(join(machine.path, program), "")
      expect(programs(machine)).toEqual({
        initdb: join(machine.path, "initdb"),
        pgCtl: join(machine.path, "pg_ctl"),
        user: undefined
      })
      expect(machine.calls()).toEqual([])
    })
  )

  it.scoped("without root and pg_ctl, one line says what is missing, and nothing is installed", () =>
    Effect.gen(function* () {
      const machine = yield* makeMachine({ uid: 1000, aptGet: installs })
      expect(refusalOf(machine)).toMatch(
        /^pg_ctl is missing: please install PostgreSQL, or set CHARLOTTE_TEST_POSTGRES .*$/
      )
      expect(machine.calls()).toEqual([])
      expect(refusalOf(yield* makeMachine({ uid: 0 }))).toMatch(/^pg_ctl is missing/)
    })
  )

  it.scoped("where apt fails, or there is no user postgres, one line says so", () =>
    Effect.gen(function* () {
      const failing = yield* makeMachine({
        uid: 0,
        aptGet: "echo 'Reading lists' >&2; echo 'no network' >&2; exit 100"
      })
      expect(refusalOf(failing)).toBe(
        'PostgreSQL is missing, and cannot be installed by "apt-get update -qq": no network'
      )
      expect(refusalOf(yield* makeMachine({ uid: 0, aptGet: installs, hasUser: false }))).toBe(
        "there is no user postgres, as whom PostgreSQL could run: please add one."
      )
    })
  )
})
