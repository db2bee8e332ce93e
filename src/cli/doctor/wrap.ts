/**
 * Checks whether agents and gates find what they need inside the `wrap` of each profile: a shell in it tries each path.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Array, Duration, Effect, Either, Option } from "effect"
import { randomUUID } from "node:crypto"
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
  realpathSync
} from "node:fs"
import { dirname, join, resolve } from "node:path"
import * as Configuration from "../../daemon/config/Configuration.js"
import { Home } from "../../daemon/home/Home.js"
import * as Git from "../../git/Git.js"
import * as ChildEnvironment from "../../process/ChildEnvironment.js"
import { runProgram } from "../../process/runProgram.js"
import type { Profile } from "../../tasks/Agents.js"
import * as Finding from "./Finding.js"

/** A path, and whether it is to be read, written, run, or not to be there. */
interface Need {
  readonly how: "r" | "w" | "x" | "h"
  readonly path: string
  readonly why: string
  /** The words of bubblewrap that bring it, if a bind of the path does not. */
  readonly words?: string
}

export const check = (repo: Option.Option<string>) =>
  Effect.gen(function* () {
    const read = yield* Effect.either(Configuration.make)
    if (Either.isLeft(read)) return []
    const profiles = read.right.agents.profiles.filter(({ wrap }) => wrap !== undefined)
    if (profiles.length === 0)
      return [
        Finding.warning("wrap", "no agent has a wrap", `add one to ${read.right.agents.file}: agents: NAME: wrap`)
      ]
    const git = yield* Git.Git
    // The current directory may have been deleted, or be in no repository.
    const place = Effect.try(() => resolve(Option.getOrElse(repo, () => ".")))
    const repository = yield* Effect.option(Effect.flatMap(place, git.open))
    const objects = Option.map(repository, ({ commonDir }) => commonDir)
    return (yield* Effect.forEach(profiles, (profile) => ofProfile(profile, objects))).flat()
  })

const ofProfile = (profile: Profile, objects: Option.Option<string>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const home = yield* Home
    const around = yield* ChildEnvironment.ParentEnvironment
    const { name } = profile
    const [program = "", ...words] = profile.wrap ?? []
    const isThere = yield* Effect.orElseSucceed(fs.exists(home.worktrees), () => false)
    const all = [
      ...(isThere ? ofHome(home) : []),
      ...Option.toArray(Option.map(objects, (path) => need("r", path, "objects of the repository"))),
      ...ofAgent(profile, around)
    ]
    // The environment may name a path that is needed anyway.
    const needs = Array.dedupeWith(all, (a, b) => a.how === b.how && a.path === b.path)
    const cookie = randomUUID()
    const result = yield* Effect.either(
      runProgram({
        file: program,
        args: [...words, "sh", "-c", probe, "sh", ...needs.map(({ how, path }) => `${how}:${path}`)],
        cwd: isThere ? home.worktrees : "/",
        env: ChildEnvironment.make({ around, cookie, inherit: profile.env }),
        limit: Duration.seconds(30)
      })
    )
    const about = (text: string) => `${name}: ${text}`
    const failed = (why: string) => [
      Finding.problem(
        "wrap",
        about(`nothing can run in it: ${why}`),
        /execvp sh: No such file/.test(why)
          ? ["/usr", "/bin", "/lib", "/lib64"]
              .filter((path) => existsSync(path))
              .map(bindOf)
              .join(" ")
          : `change agents.${name}.wrap in ${home.config}`
      )
    ]
    if (Either.isLeft(result)) return failed(result.left.message)
    const { code, stderr, stdout } = result.right
    const lines = stdout.toString("utf8").split("\n")
    if (!lines.includes(end)) return failed(stderr.trim() || `exit code ${code}`)
    const findings = [
      ...needs.filter(({ how, path }) => lines.includes(`${how}:${path}`)).map((missing) => ofNeed(about, missing)),
      ...(lines.some((line) => line.endsWith(cookie))
        ? []
        : [
            Finding.problem(
              "wrap",
              about(`the variable ${ChildEnvironment.cookieName} is lost in it, by which leftover processes are found`),
              `pass the environment on: leave out --clearenv`
            )
          ]),
      ...(isThere
        ? []
        : [Finding.warning("wrap", about("the paths of jobs were not checked"), "run a job, and check again")])
    ]
    return findings.length === 0 ? [Finding.ok("wrap", about("agents and gates find what they need in it"))] : findings
  })

const need = (how: Need["how"], path: string, why: string, words?: string): Need => ({
  how,
  path,
  why,
  ...(words !== undefined && { words })
})

const ofNeed = (about: (text: string) => string, { how, path, why, words }: Need): Finding.Finding => {
  switch (how) {
    case "r":
      return Finding.problem("wrap", about(`${path} is missing: ${why}`), words ?? `--ro-bind ${path} ${path}`)
    case "w":
      return Finding.problem("wrap", about(`${path} cannot be written: ${why}`), words ?? `--bind ${path} ${path}`)
    case "x": {
      // A link needs its target as well.
      const directories = Array.dedupe([dirname(path), dirname(real(path))])
      return Finding.problem("wrap", about(`${path} cannot be run: ${why}`), directories.map(bindOf).join(" "))
    }
    case "h":
      return Finding.warning(
        "wrap",
        about(`${path} can be reached: ${why}`),
        "bind only what is needed of its directory"
      )
  }
}

/** The words that show a directory as it is outside: Debian's `/bin` is a link. */
const bindOf = (path: string): string =>
  lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true
    ? `--symlink ${readlinkSync(path)} ${path}`
    : `--ro-bind ${path} ${path}`

const end = "charlotte: end of probe"

/** Prints each path that is not as it is needed. */
const probe = `for need; do
  path=\${need#?:}
  case $need in
    r:*) [ -r "$path" ] ;;
    w:*) [ -w "$path" ] ;;
    x:*) [ -x "$path" ] ;;
    h:*) [ ! -e "$path" ] ;;
  esac || printf '%s\\n' "$need"
done
echo "cookie $${ChildEnvironment.cookieName}"
echo "${end}"`

const ofHome = ({ logs, socket, token, worktrees }: Home["Type"]): ReadonlyArray<Need> => [
  need("w", worktrees, "worktrees"),
  need("w", logs, "prompts, and what git notes about its commands"),
  ...[socket, token]
    .filter((path) => existsSync(path))
    .map((path) => need("h", path, "it starts jobs, which run outside of the wrap if their agent has none"))
]

const ofAgent = (
  { command: [command], env, format }: Profile,
  around: ChildEnvironment.Variables
): ReadonlyArray<Need> => {
  const { HOME = "", PATH = "" } = around
  const programs = ["sh", "git", ...scriptOf(find(command, PATH))].map((name) => find(name, PATH))
  const state: Readonly<Record<Profile["format"], ReadonlyArray<string>>> = {
    "claude-stream-json": [around["CLAUDE_CONFIG_DIR"] ?? `${HOME}/.claude`, `${HOME}/.claude.json`],
    "codex-json": [around["CODEX_HOME"] ?? `${HOME}/.codex`],
    text: []
  }
  const certificates = env.filter((name) => /^(NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR))$/.test(name))
  return [
    need("x", find(command, PATH), "the agent"),
    ...programs.map((path) => need("x", path, "agents and gates run it")),
    need("w", "/dev/null", "shells and git need it", "--dev /dev"),
    need("r", "/proc/self/environ", "many programs need it", "--proc /proc"),
    need("w", around["TMPDIR"] ?? "/tmp", "temporary files"),
    ...state[format]
      .filter((path) => existsSync(path))
      .map((path) => need("w", path, "sessions and login of the agent")),
    ...["/etc/resolv.conf", "/etc/ssl/certs", ...certificates.flatMap((name) => around[name] ?? [])]
      .filter((path) => existsSync(path))
      .map((path) => need("r", path, "the network"))
  ]
}

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Where a program is found outside; its name if it is not. */
const find = (program: string, path: string): string =>
  program.includes("/")
    ? program
    : (path
        .split(":")
        .map((directory) => join(directory, program))
        .find(isExecutable) ?? program)

const real = (path: string): string => {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

/** The interpreter that the first line of a script names, such as `env` and `node`. */
const scriptOf = (path: string): ReadonlyArray<string> => {
  try {
    const file = openSync(path, constants.O_RDONLY)
    try {
      const buffer = Buffer.alloc(256)
      const head = buffer.toString("latin1", 0, readSync(file, buffer, 0, buffer.length, 0))
      const [, line = ""] = /^#!(.*)/.exec(head) ?? []
      return line.split(/\s+/).filter((word) => word !== "" && !word.startsWith("-"))
    } finally {
      closeSync(file)
    }
  } catch {
    return []
  }
}
