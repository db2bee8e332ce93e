/**
 * An agent whose turns leave files of all kinds and a commit in their worktree, and note outside of it what they find and leave there.
 */
import { expect } from "@effect/vitest"
import { Agents } from "charlotte/tasks"
import { Effect } from "effect"
import { existsSync, readFileSync } from "node:fs"
import type * as Repository from "../support/Repository.js"
import { task, unit } from "./Jobs.js"

/** A unit of one task each, whose gate passes once a turn has ended well. */
export const tasksOf = (units: ReadonlyArray<string>) =>
  Object.fromEntries(
    units.flatMap((name) => [
      [`${name}/IMPLEMENTATION_PLAN.md`, unit()],
      [`${name}/01-task.md`, task(1, "true", `test -e ok-${name}`)]
    ])
  )

/**
 * A stand-in for Claude Code. The script at the end of each turn has the name `u` of the unit and the number `n` of its turn, and
 * `limited SECONDS`, `refused TEXT`, `ended`, `worked` (whose gate then passes), `hang` and `await FILE`.
 */
export const agent = (
  { root }: Repository.Sandbox,
  script: string,
  /** What a turn does before. */
  work = everything
) =>
  new Agents.Profile({
    name: "mine",
    command: [
      "sh",
      "-c",
      `cat > /dev/null
       R='${root}' u=\${PWD##*/}
       echo turn >> "$R/$u-turns"; n=$(($(wc -l < "$R/$u-turns")))
       note() {
         { find . -name .git -prune -o -type f -printf '%m ' -exec sha256sum '{}' ';' -o -type l -printf '%p -> %l\\n' | sort
           git rev-parse HEAD; } > "$R/$u-$1-$n.new"
         mv "$R/$u-$1-$n.new" "$R/$u-$1-$n"
       }
       refused() { printf '{"type":"result","subtype":"success","is_error":true,"result":"%s"}\\n' "$1"; exit 1; }
       limited() { refused "Claude AI usage limit reached|$(($(date +%s) + $1))"; }
       ended() { echo '{"type":"result","subtype":"success","is_error":false,"result":"done"}'; exit 0; }
       worked() { echo last >> "$u-crlf-1.txt"; touch "ok-$u"; ended; }
       hang() { exec sleep 1000; }
       await() { while ! test -e "$R/$1"; do sleep 0.02; done; }
       note before
       ${work}
       note after
       ${script}`
    ],
    prompt: "stdin",
    format: "claude-stream-json",
    env: []
  })

const everything = `printf 'a\\000\\377%s' $n > $u-binary-$n
printf 'a\\r\\n%s\\r\\n' $n > $u-crlf-$n.txt
echo run > $u-run-$n; chmod +x $u-run-$n
ln -s nowhere $u-link-$n
mkdir -p $u/deep; echo deep > $u/deep/$n
git add $u-binary-$n; git commit --quiet -m "unfinished $n"
rm -f $u-run-$((n - 1))
if [ $u = a ]; then rm -f b.txt; echo $n >> a.txt; fi
echo staged > $u-staged-$n; git add $u-staged-$n`

/** What a turn of a unit has found or left; undefined if there was no such turn. */
export const left = ({ root }: Repository.Sandbox, unit: string, when: "before" | "after", turn: number) => {
  const file = `${root}/${unit}-${when}-${turn}`
  return existsSync(file) ? readFileSync(file, "utf8") : undefined
}

/** The user's repository contains nothing of unfinished work, and is sound. */
export const expectNothingOf = (world: Repository.Sandbox, top: string) =>
  Effect.gen(function* () {
    expect(yield* world.git(top, "log", "--all", "--format=%s")).not.toContain("unfinished")
    expect(yield* world.shell(top, "git fsck --no-dangling --no-progress 2>&1")).toBe("")
  })
