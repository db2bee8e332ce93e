/**
 * The programs of PostgreSQL on this machine, installed where they are missing and this process may do so.
 */
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"

/** Where Debian keeps the programs of each version; only some of them are on the PATH. */
const versions = "/usr/lib/postgresql"

const directories = (): ReadonlyArray<string> => [
  ...(process.env["PATH"] ?? "").split(delimiter).filter((directory) => directory !== ""),
  ...(existsSync(versions)
    ? readdirSync(versions)
        .sort((a, b) => Number(b) - Number(a))
        .map((version) => join(versions, version, "bin"))
    : [])
]

const find = (program: string): string | undefined =>
  directories()
    .map((directory) => join(directory, program))
    .find((path) => existsSync(path))

const isRoot = process.getuid?.() === 0

const run = (command: string, args: ReadonlyArray<string>) => {
  const { error, status, stderr } = spawnSync(command, args, {
    encoding: "utf8",
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" }
  })
  if (error !== undefined || status !== 0) {
    const [reason = "it failed"] = (error?.message ?? stderr).trim().split("\n").slice(-1)
    throw new Error(`PostgreSQL is missing, and cannot be installed by "${command} ${args.join(" ")}": ${reason}`)
  }
}

/** Debian would start a server of its own, on the port of everybody. */
const withoutMainCluster = () => {
  const [directory, line] = ["/etc/postgresql-common", "create_main_cluster = false"]
  const file = join(directory, "createcluster.conf")
  const before = existsSync(file) ? readFileSync(file, "utf8") : ""
  if (new RegExp(`^${line}$`, "m").test(before)) return
  mkdirSync(directory, { recursive: true })
  writeFileSync(file, `${before.replace(/^create_main_cluster.*\n?/gm, "")}${line}\n`)
}

const install = () => {
  withoutMainCluster()
  run("apt-get", ["update", "-qq"])
  run("apt-get", ["install", "-y", "-qq", "-o", "Dpkg::Options::=--force-confold", "postgresql"])
}

export interface Programs {
  readonly initdb: string
  readonly pgCtl: string
  /** Who has to run them: the server refuses to run as root. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined
}

const idOf = (option: "-u" | "-g"): number => {
  const { status, stdout } = spawnSync("id", [option, "postgres"], { encoding: "utf8" })
  if (status !== 0) throw new Error("there is no user postgres, as whom PostgreSQL could run: please add one.")
  return Number(stdout)
}

/** Throws with one line that says what is missing. */
export const programs = (): Programs => {
  if (find("pg_ctl") === undefined) {
    if (!isRoot || find("apt-get") === undefined) {
      throw new Error(
        "pg_ctl is missing: please install PostgreSQL, or set CHARLOTTE_TEST_POSTGRES to the URL of a server on which databases may be created."
      )
    }
    install()
  }
  const [initdb, pgCtl] = [find("initdb"), find("pg_ctl")]
  if (initdb === undefined || pgCtl === undefined) throw new Error("PostgreSQL is installed without initdb or pg_ctl.")
  return { initdb, pgCtl, user: isRoot ? { uid: idOf("-u"), gid: idOf("-g") } : undefined }
}
