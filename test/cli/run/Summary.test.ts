import { describe, expect, it } from "@effect/vitest"
import { DateTime, FastCheck as fc } from "effect"
import * as StyledLine from "../../../src/cli/terminal/StyledLine.js"
import * as Summary from "../../../src/cli/run/Summary.js"
import * as SummaryText from "../../../src/cli/run/SummaryText.js"
import { toJson } from "../../../src/internal/Json.js"
import { Run } from "../../../src/domain/Run.js"
import { TaskRecord, UnitRecord, Work } from "../../../src/domain/Work.js"
import { NoSuchAgent } from "../../../src/tasks/agents/NoSuchAgent.js"
import { CommandFailed, LandingBlocked, LimitReached, TasksFailed } from "../../../src/tasks/run/errors.js"
import { forbidden, hostile } from "../hostile.js"
import { allDone, branch, diff, run, someFailed } from "./ended.js"
import { commit, jobId, noon } from "./scenario.js"

const later = DateTime.unsafeMake(noon + 3_723_000)
const lastSeen = DateTime.unsafeMake(noon + 75_000)
const nothing = new Work({ units: [], tasks: [] })

const text = (ended: Summary.Ended, columns = Infinity) =>
  SummaryText.lines(Summary.of(ended, later), columns)
    .map((line) => StyledLine.paint(line, false))
    .join("\n")

const result = { target: "main", branch, diff, landed: commit, commits: 3 }
const failure = new TasksFailed({ branch, diff, failures: [{ unit: "silk", task: 2, reason: "r" }], blocked: ["barn"] })

describe("job summary", () => {
  it("of a completed job names the result and its branch", () => {
    expect(text({ run: run("completed", { result }), work: allDone })).toBe(`✓ completed in 1 min 15 s  job ${jobId}

  units    2 merged
  tasks    2 done, 1 already complete
  commits  3
  landed   on main, at 1a2b3c4d
  result   ${branch}
  diff     ${diff}`)
  })

  it("of a proposed result names the pull request, or where to open one", () => {
    const { landed: _, ...rest } = result
    const proposed = (pullRequest: object) =>
      text({ run: run("completed", { result: { ...rest, pullRequest } }), work: allDone })
    const url = "https://github.com/acme/barn/pull/7"
    expect(proposed({ isOpen: true, url })).toContain(`\n  commits  3\n  proposed ${url}\n  result   ${branch}\n`)
    expect(proposed({ isOpen: false, url, problem: "gh pr create exited with code 1" })).toContain(
      `\n  proposed open a pull request at ${url}; gh pr create exited with code 1\n`
    )
    expect(proposed({ isOpen: false })).toContain(`\n  proposed open a pull request for main from ${branch}\n`)
    expect(proposed({ isOpen: true, url })).not.toContain("charlotte land")
  })

  it("of a failed job names the reason, the logs, and how to retry", () => {
    expect(text({ run: run("failed", { error: toJson(failure) }), work: someFailed }))
      .toBe(`✗ failed after 1 min 15 s  job ${jobId}

  units    1 merged, 2 failed, 1 blocked
  tasks    3 done, 1 failed, 1 pending
  commits  1
  result   ${branch}
  diff     ${diff}
  land     charlotte land ${jobId}

  ! silk  1 commit is not in the result
    branch  charlotte/${jobId}/unit/silk
    diff    git -C /home/me/barn diff ${commit}...charlotte/${jobId}/unit/silk

  ! frame  1 commit is not in the result
    branch  charlotte/${jobId}/unit/frame
    diff    git -C /home/me/barn diff main...charlotte/${jobId}/unit/frame
    merge   git -C /home/me/barn switch charlotte/${jobId}/unit/frame && git -C /home/me/barn merge ${branch}
    charlotte retry ${jobId} merges this branch again, with what you commit there or on main, and runs no task again

  ✗ silk 2  Lay the rings
    failed 2 times: the gate (npm test) ended with exit code 1
    log  /home/me/.charlotte/logs/silk-2.log

  ✗ frame  unit frame conflicts with the units merged before it in a.txt

  ! words 1  the agent changed tasks/a.md: plan files were restored

  fix that, then continue with  charlotte retry ${jobId}`)
  })

  it("of a failed job says what has landed, what is left, and how to continue", () => {
    const left = [
      { unit: "silk", reason: "r" },
      { unit: "barn", reason: "blocked by silk" }
    ]
    const ended = (fields: object) => ({
      run: run("failed", { error: toJson(new TasksFailed({ ...failure, ...fields })) }),
      work: someFailed
    })
    const part = ended({ target: "main", landed: ["frame", "words"], landedAt: commit, left })
    expect(Summary.of(part, later)).toMatchObject({ landed: commit, landedUnits: ["frame", "words"], left })
    expect(text(part)).toContain("\n  landed   frame, words on main, at 1a2b3c4d\n  left     silk, barn\n")
    expect(text(part)).toContain(`\n  fix that, then continue with  charlotte retry ${jobId}`)
    const notLanded = {
      reason: "the baseline (npm test) exited with code 1",
      command: `charlotte retry ${jobId}`,
      log: "/l"
    }
    expect(text(ended({ target: "main", notLanded }))).toContain(
      "\n  landed   nothing: main could not be advanced: the baseline (npm test) exited with code 1; see /l\n"
    )
  })

  it("of a job with unfinished work says how much there is, and how to see it if there is a snapshot", () => {
    const command = `charlotte diff ${jobId} silk --unfinished 2`
    const unfinished = [
      { unit: "silk", task: 2, files: 12, command },
      { unit: "barn", task: 1, files: undefined, command: undefined }
    ]
    expect(text({ run: run("failed", { error: toJson(failure) }), work: someFailed, unfinished })).toContain(`

  ! silk  unfinished work of task 2: 12 files
    diff    ${command}

  ! barn  unfinished work of task 1

`)
  })

  it("of a retry of some units names those that are left out", () => {
    const leftOut = ["barn", "frame"].map((unit) => ({ unit, job: jobId }))
    expect(text({ run: run("completed", { result: { ...result, leftOut } }), work: allDone })).toContain(
      `\n  left out barn, frame; continue them with: charlotte retry ${jobId} --unit barn --unit frame`
    )
  })

  it("of a job that failed before any merge has no diff", () => {
    const work = new Work({ units: someFailed.units.slice(0, 1), tasks: someFailed.tasks.slice(0, 2) })
    const failed = text({ run: run("failed", { error: toJson(failure) }), work })
    expect(failed).toContain(`\n  tasks    1 done, 1 failed\n  commits  0\n\n  ! silk  1 commit is not in the result\n`)
    expect(failed).not.toContain(branch)
    expect(text({ run: run("running"), work })).not.toContain("not in the result")
  })

  it("of a blocked landing names the command that lands", () => {
    const blocked = new LandingBlocked({
      branch,
      diff,
      target: "main",
      reason: "it was rewritten meanwhile",
      log: "/l",
      command: `git -C /home/me/barn merge ${branch}`
    })
    expect(text({ run: run("failed", { error: toJson(blocked) }), work: allDone }, 80)).toBe(
      `✗ failed after 1 min 15 s  job ${jobId}: main could not be
  advanced: it was rewritten meanwhile; see /l

  units    2 merged
  tasks    2 done, 1 already complete
  commits  2
  result   ${branch}
  diff     ${diff}
  land     charlotte land ${jobId}

  continue with  git -C /home/me/barn merge ${branch}`
    )
  })

  it("of a failed job without failed units names the reason and the branch", () => {
    const limit = text({
      run: run("failed", { error: toJson(new LimitReached({ limit: "10 agent calls" })) }),
      work: allDone
    })
    expect(limit).toMatch(/^✗ .*: the limit of 10 agent calls in charlotte\.yaml was reached\n/)
    expect(limit).toContain(`\n  diff     ${diff}\n`)
    expect(limit).toMatch(new RegExp(`\n {2}continue with {2}charlotte retry ${jobId}$`))
    const command = new CommandFailed({ purpose: "baseline", command: "npm test", reason: "failed", log: "/l" })
    expect(text({ run: run("failed", { error: toJson(command) }), work: allDone })).toMatch(
      /^✗ .*: the baseline \(npm test\) failed; see \/l\n/
    )
    // The commands of which these errors tell are none to go on with.
    const missing = new NoSuchAgent({
      reason: "missing",
      agent: "claude",
      command: "claude",
      names: ["claude"],
      found: ["script"],
      file: "/c"
    })
    for (const error of [command, missing])
      expect(text({ run: run("failed", { error: toJson(error) }), work: allDone })).toMatch(
        new RegExp(`\n {2}continue with {2}charlotte retry ${jobId}$`)
      )
  })

  it("of a job that ended before it began, since the clock was set back, has no duration", () => {
    const ended = new Run({ ...run("cancelled"), endedAt: DateTime.unsafeMake(noon - 3_600_000) })
    expect(text({ run: ended, work: nothing })).toMatch(new RegExp(`^! cancelled {2}job ${jobId}\n`))
  })

  it("of a job that could not be recorded says so, and how to resume", () => {
    // How long it ran is not recorded.
    expect(text({ run: run("interrupted"), work: someFailed })).toMatch(
      new RegExp(`^! interrupted {2}job ${jobId}\n.*continue with {2}charlotte resume ${jobId}$`, "s")
    )
    expect(Summary.of({ run: run("interrupted"), work: someFailed }, later, lastSeen).duration).toBe(75_000)
    expect(text({ run: run("cancelled"), work: nothing })).toBe(
      `! cancelled after 1 min 15 s  job ${jobId}\n\n  continue with  charlotte retry ${jobId}`
    )
    expect(text({ run: run("failed", { error: "it was removed" }), work: nothing })).toMatch(/: it was removed\n/)
  })

  it("wraps on a narrow terminal, but never within a command", () => {
    const narrow = text({ run: run("failed", { error: toJson(failure) }), work: someFailed }, 36)
    expect(narrow).toContain(
      "\n  units    1 merged, 2 failed, 1\n           blocked\n  tasks    3 done, 1 failed, 1\n           pending\n"
    )
    expect(narrow).toContain(`\n  diff     ${diff}\n`)
  })

  it("of a dry run has no result", () => {
    const dry = {
      run: run("completed", { result: { ...result, landed: undefined }, config: { dryRun: true } }),
      work: nothing
    }
    expect(text(dry)).toBe(`✓ completed in 1 min 15 s  job ${jobId}`)
  })

  it("is one JSON object with --json", () => {
    const summary = Summary.of({ run: run("failed", { error: toJson(failure) }), work: someFailed }, later)
    expect(JSON.parse(JSON.stringify(summary))).toEqual({
      jobId,
      status: "failed",
      duration: 75_000,
      units: { merged: 1, failed: 2, blocked: 1 },
      tasks: { completed: 3, failed: 1, pending: 1 },
      commits: 1,
      branch,
      diff,
      land: `charlotte land ${jobId}`,
      unmerged: [
        {
          unit: "silk",
          commits: 1,
          branch: `charlotte/${jobId}/unit/silk`,
          diff: `git -C /home/me/barn diff ${commit}...charlotte/${jobId}/unit/silk`
        },
        {
          unit: "frame",
          commits: 1,
          branch: `charlotte/${jobId}/unit/frame`,
          diff: `git -C /home/me/barn diff main...charlotte/${jobId}/unit/frame`,
          merge: `git -C /home/me/barn switch charlotte/${jobId}/unit/frame && git -C /home/me/barn merge ${branch}`
        }
      ],
      unfinished: [],
      target: "main",
      failures: [
        {
          unit: "silk",
          task: 2,
          title: "Lay the rings",
          attempts: 2,
          reason: "the gate (npm test) ended with exit code 1",
          log: "/home/me/.charlotte/logs/silk-2.log"
        },
        { unit: "frame", reason: "unit frame conflicts with the units merged before it in a.txt" }
      ],
      retried: [],
      notes: [{ unit: "words", task: 1, note: "the agent changed tasks/a.md: plan files were restored" }],
      gates: [],
      next: `charlotte retry ${jobId}`
    })
  })

  it("has no control sequences, whatever is recorded", () => {
    fc.assert(
      fc.property(hostile, fc.constantFrom(40, 80, Infinity), (words, columns) => {
        const error = { _tag: "Strange", message: words, branch: words, diff: words, command: words }
        const work = new Work({
          units: someFailed.units.map((unit) => new UnitRecord({ ...unit, unit: words, reason: words })),
          tasks: someFailed.tasks.map(
            (task) => new TaskRecord({ ...task, unit: words, title: words, reason: words, notes: [words] })
          )
        })
        for (const ended of [work, nothing].map((work) => ({ run: run("failed", { error }), work }))) {
          expect(text(ended, columns).replaceAll("\n", "")).not.toMatch(forbidden)
        }
      })
    )
  })
})
