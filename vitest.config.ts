import { availableParallelism } from "node:os"
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
import { BaseSequencer, type TestSpecification } from "vitest/node"
import manifest from "./package.json" with { type: "json" }
import { checkedEvents } from "./test/support/checkedEvents/plugin.js"
import { isLong } from "./test/support/long.js"
import { hideMachine } from "./test/support/machine.js"
import { memoryDirectory } from "./test/support/memoryDirectory.js"

hideMachine()

/** `charlotte` and its subpaths, as package.json exports them, but from the sources: no build comes before a test. */
const alias = Object.entries(manifest.exports).flatMap(([subpath, target]) =>
  typeof target === "string"
    ? []
    : [
        {
          find: new RegExp(`^charlotte${subpath.slice(1)}$`),
          replacement: fileURLToPath(
            new URL(target.default.replace("./dist/", "./src/").replace(/\.js$/, ".ts"), import.meta.url)
          )
        }
      ]
)

/** Tests of what a disk, a power failure and a clock do to a database: a part of `chaos`, on a real disk. */
const faults = ["test/faults/**/*.test.ts"]

/** Tests that kill, cut off, crowd, pause and attack what they test, at every point or at random. */
const chaos = [
  ...faults,
  "test/{crash,model,simulation}/**/*.test.ts",
  "test/cli/process/{Abuse,DaemonLife,Hostile,Night,Paused,Phases,Shutdown,Signals,Suspended,Watch}.test.ts",
  "test/cluster/guard/Kill.test.ts",
  "test/daemon/LockCrowd.test.ts",
  "test/git/{Interruption,Planted,RefNames,Remaking}.test.ts",
  "test/http/server/{Crowd,Memory,Reconnect,Stalled}.test.ts",
  "test/manager/{Capacity,CrashRecovery,EventLeaks}.test.ts",
  "test/process/{crash,flood}.test.ts",
  "test/tasks/run/{Close,Hostile,Kill,Meddling,OwnRefs,Resume,Stop,Unfinished,scheduleUnits}.test.ts",
  "test/workflow/Suspended.test.ts"
]

/** The tests that have a long form, which is run where `CHARLOTTE_TESTS` is `long`. */
const long = [
  "test/crash/{Application,Children,Compensation,Crash,Producers,Schedules,Steps,Subscribers,WorkflowCompensation}.test.ts",
  "test/{faults,model}/**/*.test.ts",
  "test/cli/process/{Abuse,DaemonLife,Night,Paused,Shutdown,Signals}.test.ts",
  "test/http/server/{Crowd,Memory,Pipelining,Reconnect,Stalled}.test.ts",
  "test/manager/{Capacity,ChildJobs,Interruption}.test.ts",
  "test/process/crash.test.ts",
  "test/store/Interruption.test.ts",
  "test/simulation/**/{Simulation,Variants}.test.ts",
  "test/tasks/run/{Kill,RandomPlans,Resume,Unfinished}.test.ts",
  "test/workflow/{Many,Suspended}.test.ts"
]

/** Tests on PostgreSQL that have a long form. */
const longOnPostgres = [
  "test/postgres/{GroupKills,Interruption}.test.ts",
  "test/postgres/cluster/{ForeignLocks,Forged,Groups,Kills,Outages,Schedules,StopAll}.test.ts"
]

/**
 * Tests with hardly a process of their own, which pass on every Node that is supported. Like those of `integration`, they leave nothing
 * behind in their process, so that `npm test` loads the modules once for many files: that takes 40 % less time of the processor.
 */
const unit = [
  "test/{domain,internal,manager,progress,scripts,workflow}/**/*.test.ts",
  "test/cluster/{*,engine/*}.test.ts",
  "test/store/**/!(FileLock).test.ts",
  "test/http/**/*.test.ts",
  "examples/app/test/*.test.ts",
  "test/cli/!(bin).test.ts",
  "test/cli/{doctor,errors,init,mcp,parser,run,service,show,start,target,terminal}/**/*.test.ts"
]

/** The command, the examples and whole jobs of tasks, as their users run them: real daemons, agents, terminals and git. */
const e2e = ["test/{cli/process,examples,tasks/run}/**/*.test.ts", "test/{examples,docs/{picture,shell}}.test.ts"]

/** Code that an application compiles, with the compiler and all of Effect, and runs: a part of `npm run check:types`. */
const types = ["test/types/**/*.test.ts", "test/documentation.test.ts", "test/docs/code.test.ts"]

/** In a real browser, against a real server. */
const web = ["test/web/**/*.test.ts"]

/** Tests on a PostgreSQL server, which they start. */
const postgres = ["test/postgres/**/*.test.ts"]

const globalSetup = ["test/support/command.ts"]

/**
 * In memory where that is possible: git and the database wait for no disk there. On a busy one the tests of
 * `test/postgres/{RunStore,Schema}.test.ts` took 123 s instead of more than 250, and those of git a fourth less time of the system.
 */
const env = { TMPDIR: memoryDirectory() }

/**
 * Each test has a database, and each statement is a round trip. They wait for servers, leases and processes for most of their time:
 * `npm run test:postgres` runs four files at once, in processes that many files share.
 */
const onPostgres = {
  name: "postgres",
  include: isLong ? longOnPostgres : postgres,
  globalSetup: [...globalSetup, "test/postgres/globalSetup.ts"],
  setupFiles: ["test/support/sharedProcess.ts"],
  env
}

/** What is measured by the clock runs by itself: beside three others a median of 50 ms says how busy the machine is. */
const latency = { ...onPostgres, name: "latency", include: ["test/postgres/Latency.test.ts"] }

const page = { name: "web", include: web, globalSetup: [...globalSetup, "test/web/support/build.ts"] }

/** Before each file, where `npm run costs` asks what it costs. */
const costs = process.env["CHARLOTTE_TEST_COSTS"] === undefined ? [] : ["test/support/costs.ts"]

const tiers = [
  { name: "unit", include: unit, exclude: chaos, env },
  {
    name: "integration",
    include: ["test/**/*.test.ts"],
    exclude: [...unit, ...e2e, ...chaos, ...types, ...web, ...postgres],
    globalSetup,
    setupFiles: ["test/support/sharedProcess.ts"],
    env
  },
  { name: "e2e", include: e2e, exclude: chaos, globalSetup, setupFiles: ["test/support/sharedProcess.ts"], env },
  { name: "chaos", include: chaos, exclude: faults, globalSetup, env },
  { name: "faults", include: faults, globalSetup },
  { name: "types", include: types },
  page,
  { ...onPostgres, exclude: latency.include },
  latency
]

/** Those that take minutes. Where nothing is known of earlier runs, the largest files come first, and these are short. */
const longest = /test\/(crash\/(Crash|Application)|postgres\/RunStore)\.test\.ts$/

/** Begins with what takes longest, so that no process is idle while another one runs it as its last. */
class Sequencer extends BaseSequencer {
  override async sort(files: Array<TestSpecification>) {
    const sorted = await super.sort(files)
    const isLongest = ({ moduleId }: TestSpecification) => longest.test(moduleId)
    return [...sorted.filter(isLongest), ...sorted.filter((file) => !isLongest(file))]
  }
}

export default defineConfig({
  plugins: [checkedEvents],
  resolve: { alias },
  test: {
    projects: (isLong ? [{ name: "long", include: long, globalSetup }, onPostgres, page] : tiers).map((test) => ({
      extends: true,
      test: { ...test, setupFiles: [...("setupFiles" in test ? test.setupFiles : []), ...costs] }
    })),
    reporters: ["default"],
    allowOnly: false,
    sequence: { sequencer: Sequencer },
    // Tests start real processes and wait for real files, on machines that may be busy: the limit is for what hangs.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // Processes, not threads: native code, signals and the working directory belong to a whole process.
    pool: "forks",
    // Without `minForks`, which is one less then. Where files share processes, tinypool 1.1.1 ends an idle fork twice if there are two
    // more than the minimum, and that rejection ends the whole run: such a script with more forks names `minForks`, too.
    // A small young generation: each program that a test starts copies the page tables of its process first. With that of Node, 16 MiB,
    // the tests of git and of tasks took 120 s instead of 99, and 103 s of the system instead of 79.
    poolOptions: { forks: { maxForks: availableParallelism(), execArgv: ["--max-semi-space-size=4"] } }
  }
})
