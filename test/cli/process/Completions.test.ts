/** The completion scripts in real shells: bash, and zsh and fish where they are installed. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import * as Charlotte from "./Charlotte.js"
import * as Tasks from "./Tasks.js"

/** The candidates of a shell for a command line with the cursor at its end. */
interface Shell {
  readonly setup: string
  readonly complete: (line: string) => string
}

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

const shells: Readonly<Record<string, Shell>> = {
  bash: {
    setup: "charlotte --completions bash > completions",
    // As readline calls it: "=" is a word of its own.
    complete: (line) =>
      `bash -c ${quote(`
      source ./completions
      line=${quote(line)}
      COMP_WORDS=(); for word in $line; do
        case $word in --*=*) COMP_WORDS+=("\${word%%=*}" "="); value="\${word#*=}"; [ -n "$value" ] && COMP_WORDS+=("$value") ;; *) COMP_WORDS+=("$word") ;; esac
      done
      case $line in *" ") COMP_WORDS+=("") ;; esac
      COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
      _charlotte 2>/dev/null
      printf '%s\\n' "\${COMPREPLY[@]}"`)}`
  },
  zsh: {
    setup: "charlotte --completions zsh > completions",
    // compadd and _describe work within a line editor alone: these print what they are given.
    complete: (line) =>
      `zsh -fc ${quote(`
      compdef() { :; }
      compset() { PREFIX="\${PREFIX#*=}"; }
      _files() { ls -d -- "\${PREFIX}"*/ 2>/dev/null | sed 's,/$,,'; }
      _describe() { for candidate in "\${candidates[@]}"; do print -r -- "\${\${candidate%%:*}}"; done }
      line=${quote(line)}
      words=("\${(@s: :)line}")
      CURRENT=\${#words}
      PREFIX="\${words[-1]}"
      source ./completions
      _charlotte`)}`
  },
  fish: {
    setup: "charlotte --completions fish > completions",
    complete: (line) =>
      `fish --no-config -c ${quote(`source ./completions; complete -C ${quote(line)}`)} | cut -f1 | sed 's,/$,,'`
  }
}

const isInstalled = (shell: string): boolean => {
  try {
    execFileSync(shell, ["-c", "exit 0"], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
}

describe("completions", () => {
  for (const [shell, { complete, setup }] of Object.entries(shells).filter(([shell]) => isInstalled(shell))) {
    it.scopedLive(
      `in ${shell} offer commands, options, jobs, units, agents, branches and directories`,
      () =>
        Effect.gen(function* () {
          const world = yield* Charlotte.world(() => Tasks.simple)
          const run = (script: string) => Charlotte.run(world, script)
          const candidates = (line: string) =>
            Effect.map(run(complete(line)), ({ err, out }) => {
              expect(err).toBe("")
              return out.split("\n").filter((candidate) => candidate !== "")
            })
          yield* world.git(world.repository, "branch", "feature/x", "main")
          mkdirSync(world.home, { mode: 0o700 })
          writeFileSync(`${world.home}/config.yaml`, "agents:\n  mine:\n    command: [cat]\n")
          yield* run(`${setup} && charlotte run tasks`)
          const [id = ""] = (yield* run("charlotte jobs --json")).out.match(/\w{26}/) ?? []

          expect(yield* candidates("charlotte ")).toEqual(expect.arrayContaining(["run", "jobs", "daemon"]))
          expect(yield* candidates("charlotte sto")).toEqual(["stop"])
          expect((yield* candidates("charlotte daemon st")).sort()).toEqual(["start", "status", "stop"])
          expect((yield* candidates("charlotte run --no")).sort()).toEqual(["--no-land"])
          expect(yield* candidates("charlotte stop --all --a")).toEqual([])
          // fish sorts what it is given.
          expect((yield* candidates("charlotte show ")).sort()).toEqual([id, "latest"])
          expect(yield* candidates(`charlotte show ${id.slice(0, 6)}`)).toEqual([id])
          expect(yield* candidates("charlotte jobs --status comp")).toEqual(["completed"])
          expect(yield* candidates("charlotte run --agent m")).toEqual(["mine"])
          expect(yield* candidates("charlotte run --agent=m")).toEqual([shell === "bash" ? "mine" : "--agent=mine"])
          expect(yield* candidates("charlotte run --target fea")).toEqual(["feature/x"])
          expect(yield* candidates("charlotte run ta")).toEqual(["tasks"])
          expect(yield* candidates("charlotte run tasks ")).toEqual([])
          const units = ["a", "b"]
          expect(yield* candidates("charlotte retry latest --unit ")).toEqual(units)
          expect(yield* candidates(`charlotte land ${id} --unit b`)).toEqual(["b"])
          expect(yield* candidates("charlotte retry --unit ")).toEqual([])
          expect(yield* candidates("charlotte diff latest ")).toEqual(units)
          expect(yield* candidates("charlotte run tasks --unit ")).toEqual(units)
          expect(yield* candidates("charlotte start tasks --unit a --unit ")).toEqual(units)
          expect(yield* candidates("charlotte task new ")).toEqual(units)
        }),
      300_000
    )
  }

  it.scopedLive("are empty and silent if there is nothing to look up", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(() => ({}))
      for (const words of ["show ''", "run --agent", "nonsense ''", "'' ''", ""]) {
        expect(yield* Charlotte.run(world, `cd / && charlotte __complete ${words}`)).toMatchObject({ code: 0, err: "" })
      }
    })
  )
})
