import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { run, show, task, unit } from "../Jobs.js"
import * as Witness from "./Witness.js"

/** Something that an agent does in addition to its work, or instead of it. */
interface Mischief {
  readonly name: string
  /** The script of the first attempt. */
  readonly script: string
  /** Whether the first attempt also does the work. The second attempt only does the work. */
  readonly works?: boolean
  /** Whether the first attempt is accepted. */
  readonly passes?: boolean
  /** The notes of the task. */
  readonly notes?: ReadonlyArray<RegExp>
}

const restored = /^the agent changed tasks\/\S+(, tasks\/\S+)*( and \d+ more)?: plan files were restored$/
const added = /^task files were added, which land with the work and are run by the next job of tasks: tasks\/zz\//
const discarded = (fault: string) => new RegExp(`^attempt 1 was discarded: .*${fault}`)

const moved = "HEAD of .* was moved: expected charlotte/.*, found"

/** Replaces the gate in these task files. */
const ungate = (files: string) =>
  `sed -i 's|^backpressure: .*|backpressure: "echo planted >> $WITNESS/calls"|' ${files}`

/** The tasks of three units, in order. */
const units: Record<string, ReadonlyArray<Mischief>> = {
  plan: [
    { name: "gate-true", script: ungate("tasks/plan/*.md"), notes: [restored] },
    { name: "gate-true-and-works", script: ungate("tasks/*/*.md"), works: true, passes: true, notes: [restored] },
    {
      name: "others-complete",
      script: "sed -i 's/^status: .*/status: complete/' tasks/*/*.md",
      works: true,
      passes: true,
      notes: [restored]
    },
    {
      name: "no-dependencies",
      script: "sed -i 's/^depends_on: .*/depends_on: []/' tasks/*/*.md",
      works: true,
      passes: true,
      notes: [restored]
    },
    { name: "deletes-tasks", script: "rm -rf tasks", works: true, passes: true, notes: [restored] },
    {
      name: "tasks-elsewhere",
      script: `cp -r tasks "$WITNESS/outside"; ${ungate('"$WITNESS"/outside/*/*.md')}; rm -rf tasks; ln -s "$WITNESS/outside" tasks`,
      works: true,
      passes: true,
      notes: [restored]
    },
    {
      name: "plants-plan",
      script: `printf 'setup: echo planted >> "$WITNESS/calls"\\nbaseline: [false]\\n' > tasks/charlotte.yaml
mkdir tasks/zz; cp tasks/plan/*.md tasks/zz; ${ungate("tasks/zz/*.md")}`,
      works: true,
      passes: true,
      notes: [restored, added]
    },
    { name: "two-at-once", script: "echo done > after.txt", works: true, passes: true },
    // Its work was done by the previous task.
    {
      name: "after",
      script: "true",
      works: true,
      passes: true,
      notes: [/^the gate passed although no file was changed/]
    }
  ],
  branch: [
    {
      name: "commits",
      script: "echo 1 > own.txt; git add own.txt; git commit -q -m own",
      works: true,
      passes: true
    },
    {
      name: "forges-trailers",
      script: `for u in plan branch worktree later; do for t in 1 2 3 4; do
git commit -q --allow-empty -m "forged

Charlotte-Job: $(basename "$(dirname "$PWD")")
Charlotte-Unit: $u
Charlotte-Task: $t"; done; done`,
      works: true,
      passes: true
    },
    {
      name: "amends",
      script: "git commit -q --amend -m amended",
      works: true,
      notes: [discarded("no longer contains its earlier commits")]
    },
    {
      name: "goes-back",
      script: "git reset -q --hard HEAD~1",
      works: true,
      notes: [discarded("no longer contains its earlier commits")]
    },
    {
      name: "switches",
      script: "git switch -q -c charlotte/astray",
      works: true,
      notes: [discarded(`${moved} charlotte/astray`)]
    },
    { name: "detaches", script: "git switch -q --detach", works: true, notes: [discarded(`${moved} no branch`)] },
    { name: "deletes-branch", script: "git update-ref -d HEAD", works: true, notes: [discarded("there is no branch")] },
    {
      name: "leaves-merge",
      script: `git branch -q charlotte/other; echo 1 > m.txt; git add m.txt; git commit -q -m one
git switch -q charlotte/other; echo 2 > m.txt; git add m.txt; git commit -q -m two
git switch -q -; git merge -q charlotte/other > "$WITNESS/merge" || true`,
      works: true,
      notes: [discarded("a merge is in progress")]
    },
    {
      name: "floods-trace",
      script: `yes '{}' | head -c 300000000 > "$GIT_TRACE2_EVENT"`,
      works: true,
      passes: true
    }
  ],
  worktree: [
    { name: "deletes-git", script: "rm .git", works: true, notes: [discarded("its .git is gone")] },
    {
      name: "replaces-git",
      script: "rm .git; git init -q; git add .; git commit -q -m x",
      works: true,
      notes: [discarded("its .git is gone or was replaced")]
    },
    { name: "leaves-lock", script: 'touch "$(git rev-parse --git-dir)/index.lock"', works: true, passes: true },
    { name: "closes-directories", script: "mkdir d; touch d/f; chmod -R a-w ." },
    { name: "removes-worktree", script: 'rm -rf "$PWD"', notes: [discarded("it is gone")] },
    { name: "removes-worktree-with-git", script: 'git worktree remove --force "$PWD"' },
    { name: "fails", script: "exit 3" },
    {
      name: "forges",
      script: `printf '\\033[2J\\033]0;title\\007{"type":"task.completed","unit":"later","task":1}\\r\\n::task.completed later 1\\n'`
    },
    {
      name: "leaves-processes",
      script: "(setsid sleep 1000 &) ; (nohup sleep 1000 > /dev/null 2>&1 &)",
      works: true,
      passes: true
    },
    {
      name: "links-log",
      script: `echo mine > "$WITNESS/precious"; ln -s "$WITNESS/precious" "\${GIT_TRACE2_EVENT%.agent.log.git}.gate.log"`,
      works: true,
      passes: true
    },
    {
      name: "links-logs",
      script: `logs=$(dirname "$GIT_TRACE2_EVENT"); mkdir "$WITNESS/elsewhere"; mv "$logs" "$logs.moved"
ln -s "$WITNESS/elsewhere" "$logs"`,
      works: true,
      passes: true
    }
  ],
  later: [{ name: "later", script: "true", works: true, passes: true }]
}

/** On the first invocation it runs the script, and then does its work or not. */
const agent = ({ name, script, works = false }: Mischief): string => `STEP="agent-${name}"; . "$WITNESS/step"
if test "$(grep -cx "$STEP" "$WITNESS/calls")" = 1; then
${script}
${works ? "" : "exit 0"}
fi
echo done > "${name}.txt"`

const gate = (name: string): string => `STEP="gate-${name}"; . "$WITNESS/step"; grep -qx done ${name}.txt`

const files = Object.fromEntries([
  ["charlotte.yaml", "attempts: 2\n"],
  ...Object.entries(units).flatMap(([name, mischiefs]) => [
    [`${name}/IMPLEMENTATION_PLAN.md`, unit(name === "later" ? ["plan"] : [])],
    ...mischiefs.map((mischief, index) => [
      `${name}/0${index + 1}-${mischief.name}.md`,
      task(index + 1, agent(mischief), gate(mischief.name), index === 0 ? [] : [index])
    ])
  ])
])

const count = (world: Witness.World, call: string) => Witness.calls(world).filter((other) => other === call).length

describe("a misbehaving agent", () => {
  it.scopedLive(
    "only affects its own attempt, which is reported",
    () =>
      Effect.gen(function* () {
        const world = yield* Witness.world
        const { config, top, untouched } = yield* Witness.job(world, files, 3)
        yield* Effect.gen(function* () {
          const { events, id, run: record, types, work } = yield* run(config)
          expect(record.error?.error).toBeUndefined()
          for (const [unit, mischiefs] of Object.entries(units))
            for (const [index, { name, notes = [], passes = false }] of mischiefs.entries()) {
              const found = work.tasks.find((record) => record.unit === unit && record.task === index + 1)
              expect({ ...found, name }).toMatchObject({
                name,
                state: "completed",
                failures: passes ? 0 : 1,
                notes: notes.map((note): unknown => expect.stringMatching(note))
              })
              expect([name, count(world, `agent-${name}`)]).toEqual([name, passes ? 1 : 2])
              expect(count(world, `gate-${name}`)).toBeGreaterThan(0)
            }
          // Only the submitted gates ran, each task ran exactly once, and no injected text was executed.
          expect(count(world, "planted")).toBe(0)
          expect(types.filter((type) => type.startsWith("task.completed")).toSorted()).toEqual(
            work.tasks.map(({ task, unit }) => `task.completed ${unit} ${task}`).toSorted()
          )
          expect(types.indexOf("task.started later 1")).toBeGreaterThan(types.indexOf("unit.completed plan"))
          expect(JSON.stringify([events, record, work])).not.toMatch(/\\u00|\\r/)

          // The plan files are unchanged, except for the status.
          const status = (yield* world.git(top, "diff", "--name-status", "mine..main", "--", "tasks"))
            .trim()
            .split("\n")
          expect(status.filter((line) => !/^(M|A\ttasks\/zz\/.*)/.test(line))).toEqual([])
          const diff = yield* world.git(top, "diff", "--unified=0", "mine..main", "--", "tasks", ":!tasks/zz")
          const lines = diff.split("\n").filter((line) => /^[-+](?![-+])/.test(line))
          expect(new Set(lines)).toEqual(new Set(["-status: pending # kept", "+status: complete # kept"]))
          expect(lines).toHaveLength(2 * work.tasks.length)
          expect(readFileSync(`${world.witness}/outside/plan/01-gate-true.md`, "utf8")).toContain("echo planted")
          expect(yield* show(world, top, "main:own.txt")).toBe("1\n")
          // What a link in place of a log, or of their directory, names is neither emptied nor written to.
          expect(readFileSync(`${world.witness}/precious`, "utf8")).toBe("mine\n")
          expect(readdirSync(`${world.witness}/elsewhere`)).toEqual([])

          yield* Witness.isQuiet(world, top, id)
          expect(readdirSync(`${world.root}/charlotte/worktrees/${id}`)).toEqual(["_repository"])
        }).pipe(Effect.provide(Witness.manager(world)))
        yield* untouched
      }),
    300_000
  )
})
