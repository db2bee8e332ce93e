/**
 * The programs of PostgreSQL on this machine, installed where they are missing and this process may do so.
 */
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"

/** A machine as far as it matters here; tests have others. */
export interface Machine {
  readonly path: string
  /** `/`, or what stands for it. */
  readonly root: string
}

const thisMachine: Machine = { path: process.env["PATH"] ?? "", root: "/" }

/** Where Debian keeps the programs of each version; only some of them are on the PATH. */
const directories = ({ path, root }: Machine): ReadonlyArray<string> => {
  const versions = join(root, "usr/lib/postgresql")
  return [
    ...path.split(delimiter).filter((directory) => directory !== ""),
    ...(existsSync(versions)
      ? readdirSync(versions)
          .sort((a, b) => Number(b) - Number(a))
          .map((version) => join(versions, version, "bin"))
      : [])
  ]
}

const find = (machine: Machine, program: string): string | undefined =>
  directories(machine)
    .map((directory) => join(directory, program))
    .find((path) => existsSync(path))

/** A program of PostgreSQL beside those of the server. */
export const programNamed = (name: string): string => {
  const found = find(thisMachine, name)
  if (found === undefined) throw new Error(`${name} is missing: please install the client programs of PostgreSQL.`)
  return found
}

const execute = ({ path }: Machine, command: string, args: ReadonlyArray<string>) =>
  spawnSync(command, args, {
    encoding: "utf8",
    env: { ...process.env, PATH: path, DEBIAN_FRONTEND: "noninteractive" }
  })

const run = (machine: Machine, command: string, args: ReadonlyArray<string>) => {
  const { error, status, stderr } = execute(machine, command, args)
  if (error !== undefined || status !== 0) {
    const [reason = "it failed"] = (error?.message ?? stderr).trim().split("\n").slice(-1)
    throw new Error(`PostgreSQL is missing, and cannot be installed by "${command} ${args.join(" ")}": ${reason}`)
  }
}

/** Debian would start a server of its own, on the port of everybody. */
const withoutMainCluster = ({ root }: Machine) => {
  const directory = join(root, "etc/postgresql-common")
  const line = "create_main_cluster = false"
  const file = join(directory, "createcluster.conf")
  const before = existsSync(file) ? readFileSync(file, "utf8") : ""
  if (new RegExp(`^${line}$`, "m").test(before)) return
  mkdirSync(directory, { recursive: true })
  writeFileSync(file, `${before.replace(/^create_main_cluster.*\n?/gm, "")}${line}\n`)
}

const install = (machine: Machine) => {
  withoutMainCluster(machine)
  run(machine, "apt-get", ["update", "-qq"])
  run(machine, "apt-get", ["install", "-y", "-qq", "-o", "Dpkg::Options::=--force-confold", "postgresql"])
}

export interface Programs {
  readonly initdb: string
  readonly pgCtl: string
  /** Who has to run them: the server refuses to run as root. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined
}

const idOf = (machine: Machine, ...args: ReadonlyArray<string>): number | undefined => {
  const { status, stdout } = execute(machine, "id", args)
  return status === 0 ? Number(stdout) : undefined
}

/** Throws with one line that says what is missing. */
export const programs = (machine: Machine = thisMachine): Programs => {
  const isRoot = idOf(machine, "-u") === 0
  if (find(machine, "pg_ctl") === undefined) {
    if (!isRoot || find(machine, "apt-get") === undefined) {
      throw new Error(
        "pg_ctl is missing: please install PostgreSQL, or set CHARLOTTE_TEST_POSTGRES to the URL of a server on which databases may be created."
      )
    }
    install(machine)
  }
  const [initdb, pgCtl] = [find(machine, "initdb"), find(machine, "pg_ctl")]
  if (initdb === undefined || pgCtl === undefined) throw new Error("PostgreSQL is installed without initdb or pg_ctl.")
  if (!isRoot) return { initdb, pgCtl, user: undefined }
  const [uid, gid] = [idOf(machine, "-u", "postgres"), idOf(machine, "-g", "postgres")]
  if (uid === undefined || gid === undefined) {
    throw new Error("there is no user postgres, as whom PostgreSQL could run: please add one.")
  }
  return { initdb, pgCtl, user: { uid, gid } }
}
