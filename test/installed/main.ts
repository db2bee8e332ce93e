/**
 * The package as applications get it: packed, installed with the line of docs/embedding.md into an application and globally, on a
 * machine without a compiler, and then used. It needs a build, and the packages' registry or npm's cache.
 */
import { Effect } from "effect"
import { execFileSync, spawnSync } from "node:child_process"
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import manifest from "../../package.json" with { type: "json" }
import { freePort } from "../../examples/cluster/freePort.js"
import { blocksOf, page } from "../docs/pages.js"
import { differences, endJobs, scriptOf } from "../docs/walk.js"

const root = fileURLToPath(new URL("../..", import.meta.url))
const here = fileURLToPath(new URL(".", import.meta.url))
const directory = mkdtempSync(join(tmpdir(), "charlotte-installed-"))

/** Seconds of CPU that the install may take. */
const limit = 30

/** Megabytes that the tarball may have. */
const largest = 2.25

const say = (text: string) => process.stdout.write(`${text}\n`)

const check = (isTrue: boolean, what: string) => {
  if (!isTrue) throw new Error(what)
  say(`✓ ${what}`)
}

/** All commands but those that compile, with the Node that runs this before any other. */
const withoutCompiler = (): string => {
  const bin = join(directory, "bin")
  mkdirSync(bin)
  const compilers = /^(cc|c\+\+|gcc|g\+\+|clang|make|gmake|python|cpp|ld$|as$)|-(gcc|g\+\+|cpp)(-|$)/
  const seen = new Set(["node"])
  symlinkSync(process.execPath, join(bin, "node"))
  for (const place of (process.env["PATH"] ?? "").split(delimiter).filter((path) => !path.includes("node_modules"))) {
    let names: ReadonlyArray<string> = []
    try {
      names = readdirSync(place)
    } catch {
      // A PATH may name what is not there.
    }
    for (const name of names.filter((name) => !seen.has(name) && !compilers.test(name))) {
      seen.add(name)
      symlinkSync(join(place, name), join(bin, name))
    }
  }
  return bin
}

/** That of this process, with its proxy and certificates, but without what npm has set for this script. */
const outside = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("npm_")))

const environment = {
  ...outside,
  PATH: withoutCompiler(),
  CHARLOTTE_HOME: join(directory, "home"),
  npm_config_prefer_offline: "true",
  npm_config_audit: "false",
  npm_config_fund: "false",
  npm_config_update_notifier: "false"
}

const run = (cwd: string, command: string): string =>
  execFileSync("bash", ["-euo", "pipefail", "-c", command], { cwd, env: environment, encoding: "utf8" })

const application = (name: string, extra: object = {}) => {
  const path = join(directory, name)
  mkdirSync(path)
  writeFileSync(join(path, "package.json"), JSON.stringify({ name, private: true, type: "module", ...extra }))
  return path
}

/** The version of each copy of a package that an application has. */
const versions = (app: string, name: string): ReadonlyArray<string> =>
  run(app, `npm ls ${name} --all --parseable --long`)
    .split("\n")
    .flatMap((found) => /:.*@([^@:]+)/.exec(found)?.[1] ?? [])

/** The compiler of the checkout, on the application's own modules. */
const typeCheck = (app: string, moduleResolution: "nodenext" | "bundler") => {
  cpSync(join(root, "test/types/jobKinds.ts"), join(app, "jobKinds.ts"))
  const module = moduleResolution === "nodenext" ? "nodenext" : "esnext"
  const options = `--declaration --emitDeclarationOnly --outDir types --strict --exactOptionalPropertyTypes --skipLibCheck false --target es2022 --lib es2023,dom,dom.iterable`
  run(
    app,
    `node ${root}node_modules/typescript/bin/tsc ${options} --module ${module} --moduleResolution ${moduleResolution} --types node application.ts jobKinds.ts`
  )
  check(true, `type-checks under ${moduleResolution}, with declarations and skipLibCheck false`)
}

const line = (): string => {
  const [found] = /^npm install \.\.\/charlotte\/.*$/m.exec(readFileSync(join(root, "docs/embedding.md"), "utf8")) ?? []
  if (found === undefined) throw new Error("docs/embedding.md has no line that installs Charlotte into an application")
  return found
}

const types = `@types/node@${manifest.devDependencies["@types/node"]}`

const inApplication = () => {
  const app = application("app")
  const [user = 0, system = 0] = run(app, `TIMEFORMAT='%U %S'; { time ${line()} >&2; } 2>&1 | tail -n 1`)
    .split(" ")
    .map(Number)
  check(
    user + system <= limit,
    `installs with the line of docs/embedding.md, in ${(user + system).toFixed(1)} s of CPU`
  )
  const [driver = "", ...others] = versions(app, "better-sqlite3")
  check(driver.startsWith("13.") && others.length === 0, `brings one better-sqlite3, ${driver}`)
  check(versions(app, "effect").length === 1, "brings one Effect")

  for (const name of ["application.ts", "statements.mjs"]) cpSync(join(here, name), join(app, name))
  cpSync(join(root, "examples", "embed.ts"), join(app, "embed.ts"))
  check(run(app, "node embed.ts jobs.db").includes("job completed: counted to three"), "runs examples/embed.ts")
  run(app, "node --expose-gc statements.mjs statements.db")
  check(true, "has 20,000 prepared statements collected")
  const loaded = run(app, `node --input-type=commonjs --eval 'console.log(Object.keys(require("charlotte")).join())'`)
  check(loaded.includes("JobManager"), 'has require("charlotte") load it')
  run(app, `npm install --save-dev ${types}`)
  typeCheck(app, "nodenext")
  typeCheck(app, "bundler")
  job("local", join(app, "node_modules", ".bin", "charlotte"))
}

/** A repository of one task, which the command works through. */
const job = (name: string, charlotte: string) => {
  const repository = join(directory, `repository-${name}`)
  mkdirSync(join(repository, "tasks"), { recursive: true })
  const task = "---\ntask: 1\nbackpressure: test -f one.txt\n---\n\n# One\n\n```sh\necho one > one.txt\n```\n"
  writeFileSync(join(repository, "tasks", "01-one.md"), task)
  writeFileSync(join(repository, "tasks", "charlotte.yaml"), "agent: script\n")
  const git = "git -c user.name=A -c user.email=a@localhost"
  run(repository, `git init -q -b main && ${git} add . && ${git} commit -qm tasks`)
  run(repository, "git config user.name A && git config user.email a@localhost")
  check(run(repository, `${charlotte} run tasks`).includes("completed in"), "charlotte run does a task")
  check(run(repository, "cat one.txt") === "one\n", "and lands it")
}

const globally = () => {
  const prefix = join(directory, "prefix")
  const tarball = join(directory, "charlotte", `charlotte-${manifest.version}.tgz`)
  run(directory, `npm install --global --prefix ${prefix} ${tarball}`)
  const report = run(directory, `${prefix}/bin/charlotte doctor`)
  check(
    report.includes(`better-sqlite3 ${manifest.dependencies["better-sqlite3"]}`),
    "is installed globally, and doctor finds SQLite"
  )
  job("global", join(prefix, "bin", "charlotte"))
}

/** Beside another release of Effect, whose version is returned. */
const beside = (name: string, release: string): string => {
  const app = application(name)
  run(app, `${line().replace(/ effect@\S+/, ` effect@${release}`)} ${types}`)
  const [version = "", ...others] = versions(app, "effect")
  check(others.length === 0, `shares one Effect, ${version}, with an application that asks for ${release}`)
  cpSync(join(here, "application.ts"), join(app, "application.ts"))
  typeCheck(app, "nodenext")
  typeCheck(app, "bundler")
  return version
}

const besideOthers = () => {
  const oldest = manifest.peerDependencies.effect.slice(1)
  check(beside("oldest", oldest) === oldest, "which is the oldest that is allowed")
  beside("newest", `~${oldest}`)

  const next = application("next")
  const { status, stderr } = spawnSync("bash", ["-c", line().replace(/ effect@.*/, " effect@4")], {
    cwd: next,
    env: environment,
    encoding: "utf8"
  })
  check(status !== 0 && stderr.includes("ERESOLVE"), "is refused by npm beside Effect 4, with ERESOLVE")
}

/** The example application, installed from the tarball, and its README from the first command to the last. */
const example = async () => {
  const readme = page("examples/app/README.md")
  cpSync(join(root, "examples/app"), join(directory, "charlotte/examples/app"), { recursive: true })
  const [install] = readme.blocks.filter(({ check }) => check === "install")
  // The first line is what has made the tarball.
  const [, ...lines] = install?.text.trim().split("\n") ?? []
  run(directory, lines.join("\n"))
  const app = join(directory, "shop")
  check(versions(app, "effect").length === 1 && versions(app, "better-sqlite3").length === 1, "examples/app installs")
  run(app, "npm run check")
  check(true, "passes its type check")
  const port = await Effect.runPromise(freePort)
  const script = scriptOf(readme, endJobs).replaceAll(":3000", `:${port}`)
  check(
    differences(readme, run(app, `export PORT=${port}\n${script}`)).join("\n") === "",
    "and does what its README shows"
  )
}

/** The tutorial from its first command to its last, in a home directory that holds nothing but a clone of this checkout. */
const tutorial = () => {
  const home = join(directory, "reader")
  mkdirSync(home)
  run(directory, `git clone --quiet ${root} ${join(home, "charlotte")}`)
  const commands = blocksOf("sh").filter(({ page }) => page === "docs/tutorial.md")
  const { CHARLOTTE_HOME: _, ...others } = environment
  const npm = (option: string) => run(directory, `npm config get ${option}`).trim()
  execFileSync("bash", ["-euo", "pipefail", "-c", commands.map(({ text }) => text).join("\n")], {
    cwd: home,
    env: {
      ...others,
      HOME: home,
      PATH: `${join(home, ".local", "bin")}:${environment.PATH}`,
      npm_config_prefix: join(home, ".local"),
      // What is known of registries, and what was fetched before.
      npm_config_userconfig: npm("userconfig"),
      npm_config_cache: npm("cache")
    },
    stdio: ["ignore", "ignore", "inherit"]
  })
  const log = run(join(home, "greeter"), "git log --format=%s")
  check(/^Wait$[^]*^Whisper$\n^Shout$/m.test(log), "walks the tutorial, from a clone to three tasks that are done")
}

try {
  mkdirSync(join(directory, "charlotte"))
  const tarball = run(root, `npm pack --silent --pack-destination ${join(directory, "charlotte")}`).trim()
  const size = statSync(join(directory, "charlotte", tarball)).size / 1e6
  check(size <= largest, `is a tarball of ${size.toFixed(2)} MB`)
  say(`Node ${process.version}, in ${dirname(process.execPath)}`)
  inApplication()
  globally()
  besideOthers()
  await example()
  tutorial()
} finally {
  rmSync(directory, { recursive: true, force: true })
}
