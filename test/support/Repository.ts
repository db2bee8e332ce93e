/**
 * Repositories that live for one test: in a fresh directory with a home of its own, and with a user in the midst of work,
 * of which every test has to leave each bit as it was.
 */
import { expect } from "@effect/vitest"
import { Duration, Effect, Layer, type Scope } from "effect"
import { execFile } from "node:child_process"
import { createHash } from "node:crypto"
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, realpath, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { GitEnvironmentRef, type GitEnvironment } from "../../src/git/GitEnvironment.js"

export interface Sandbox {
  readonly root: string
  readonly environment: GitEnvironment
  /** Begins a command that sees the root, where others do not. */
  readonly enter?: ReadonlyArray<string>
  /** Runs git as the user would. */
  readonly git: (cwd: string, ...args: ReadonlyArray<string>) => Effect.Effect<string>
  /** Runs lines of shell as the user would, and stops at the first that fails. Ten gits in them cost half of what ten calls cost. */
  readonly shell: (cwd: string, lines: string) => Effect.Effect<string>
  readonly write: (path: string, content: string, mode?: number) => Effect.Effect<void>
}

const path = process.env["PATH"] ?? ""

/** A command in a directory that may be visible only to those who enter it. */
export const commandIn = ({ enter = [] }: Pick<Sandbox, "enter">, cwd: string, words: ReadonlyArray<string>) => {
  const [command = "", ...args] = enter.length === 0 ? words : [...enter, "env", `--chdir=${cwd}`, ...words]
  return { command, args, cwd: enter.length === 0 ? cwd : "/" }
}

/** Runs commands as the user would. */
export const asUser = (home: string, enter: ReadonlyArray<string> = []): Pick<Sandbox, "git" | "shell"> => {
  const run = (directory: string, ...words: ReadonlyArray<string>) =>
    Effect.async<string>((resume) => {
      const env = { PATH: path, HOME: home, LC_ALL: "C", GIT_OPTIONAL_LOCKS: "0", GIT_TERMINAL_PROMPT: "0" }
      const { args, command, cwd } = commandIn({ enter }, directory, words)
      execFile(command, args, { cwd, env, maxBuffer: 1 << 28 }, (error, stdout, stderr) =>
        resume(error === null ? Effect.succeed(stdout) : Effect.die(new Error(`${words.join(" ")}: ${stderr}`)))
      )
    })
  return {
    git: (cwd, ...args) => run(cwd, "git", ...args),
    shell: (cwd, lines) => run(cwd, "sh", "-euc", lines)
  }
}

/** A directory that goes when the scope closes; nothing of git's may be left in its scratch directory then. */
export const sandbox: Effect.Effect<Sandbox, never, Scope.Scope> = Effect.gen(function* () {
  const root = yield* Effect.acquireRelease(
    Effect.promise(async () => realpath(await mkdtemp(join(tmpdir(), "charlotte-test-")))),
    (directory) => Effect.promise(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }))
  )
  const [home, scratch] = [`${root}/home`, `${root}/scratch`]
  yield* Effect.promise(() => Promise.all([mkdir(home), mkdir(scratch)]))
  yield* Effect.promise(() =>
    writeFile(
      `${home}/.gitconfig`,
      "[user]\n\tname = Ada Lovelace\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n"
    )
  )
  yield* Effect.addFinalizer(() =>
    Effect.promise(async () => expect(await readdir(scratch), "left in the scratch directory").toEqual([]))
  )
  return {
    root,
    environment: {
      executable: "git",
      variables: { PATH: path, HOME: home },
      scratch,
      patience: Duration.seconds(5),
      staleAfter: Duration.millis(200),
      limit: Duration.minutes(1)
    },
    ...asUser(home),
    write: (file, content, mode = 0o644) =>
      Effect.promise(async () => {
        await mkdir(join(file, ".."), { recursive: true })
        await writeFile(file, content, { mode })
      })
  }
})

/** Gives git the environment of the sandbox. */
export const environmentLayer = (environment: GitEnvironment) => Layer.succeed(GitEnvironmentRef, environment)

/** A repository with one commit on `main` and nothing uncommitted. */
export const plain = (world: Sandbox, name = "repository") =>
  Effect.gen(function* () {
    const top = `${world.root}/${name}`
    yield* world.write(`${top}/a.txt`, "one\ntwo\nthree\n")
    yield* world.write(`${top}/b.txt`, "b\n")
    yield* world.write(`${top}/dir/c.txt`, "c\n")
    yield* world.write(`${top}/.gitignore`, "*.log\n")
    yield* world.shell(top, "git init --quiet; git add .; git commit --quiet -m first")
    return top
  })

/** The same, with a user in the midst of work: staged, dirty, untracked and ignored files, a stash, branches, a tag. */
export const busy = (world: Sandbox, name = "repository") =>
  Effect.gen(function* () {
    const top = yield* plain(world, name)
    yield* world.shell(
      top,
      `git branch other
       git tag v1
       echo stashed > b.txt
       git stash push --quiet
       echo staged > staged.txt
       git add staged.txt
       echo dirty > b.txt
       echo untracked > untracked.txt
       echo ignored > ignored.log`
    )
    return top
  })

const digest = (content: string | Buffer): string => createHash("sha256").update(content).digest("hex").slice(0, 16)

/** Every file below a directory, with its mode and a digest of its content. */
const files = async (directory: string, prefix = ""): Promise<ReadonlyArray<readonly [string, string]>> => {
  const names = (await readdir(directory)).filter((name) => prefix !== "" || name !== ".git")
  const found = await Promise.all(
    names.map(async (name): Promise<ReadonlyArray<readonly [string, string]>> => {
      const file = `${directory}/${name}`
      const stats = await lstat(file)
      if (stats.isDirectory()) return files(file, `${prefix}${name}/`)
      const content = stats.isSymbolicLink() ? await readlink(file) : stats.isFile() ? await readFile(file) : "special"
      return [[`${prefix}${name}`, `${stats.mode.toString(8)} ${digest(content)}`]]
    })
  )
  return found.flat()
}

export interface Snapshot {
  readonly head: string
  readonly index: string
  readonly files: Readonly<Record<string, string>>
  readonly stash: string
  /** But for those that Charlotte makes. */
  readonly refs: ReadonlyArray<string>
  readonly config: string
  readonly hooks: ReadonlyArray<string>
}

/** All that the user of a checkout could miss. */
export const snapshot = (world: Sandbox, top: string) =>
  Effect.gen(function* () {
    const names = ["HEAD", "index", "logs/refs/stash", "config", "hooks"].map((name) => `--git-path ${name}`)
    const said = yield* world.shell(
      top,
      `git rev-parse --path-format=absolute ${names.join(" ")}; git for-each-ref --format='%(refname) %(objectname)'`
    )
    const [head = "", index = "", stash = "", config = "", hooks = "", ...refs] = said.split("\n")
    const content = (file: string) => Effect.promise(() => readFile(file).catch(() => Buffer.from("none")))
    const result: Snapshot = {
      head: (yield* content(head)).toString(),
      index: digest(yield* content(index)),
      files: Object.fromEntries(yield* Effect.promise(() => files(top))),
      stash: (yield* content(stash)).toString(),
      refs: refs.filter((line) => !line.startsWith("refs/heads/charlotte/")),
      config: (yield* content(config)).toString(),
      hooks: yield* Effect.promise(() => readdir(hooks).catch(() => []))
    }
    return result
  })

/** Runs a test over a checkout and sees that nothing of the user's in it was touched. */
export const untouched = <A, E, R>(world: Sandbox, top: string, test: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const before = yield* snapshot(world, top)
    const result = yield* test
    expect(yield* snapshot(world, top)).toEqual(before)
    return result
  })
