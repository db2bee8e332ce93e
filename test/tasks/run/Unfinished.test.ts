import { describe, expect, it } from "@effect/vitest"
import { Effect, Random } from "effect"
import { existsSync, mkdirSync, readFileSync } from "node:fs"
import { eventually } from "../../process/workshop.js"
import { isLong } from "../../support/long.js"
import { ended, task, unit, untilClosed } from "../Jobs.js"
import { expectNothingOf } from "../UnfinishedWork.js"
import * as Life from "./Life.js"
import type { Config } from "./Scenes.js"
import * as Witness from "./Witness.js"

/**
 * An agent that writes files and commits until it may finish, and notes each of them once it is complete. It begins with a look at
 * what it noted before.
 */
const writing = (name: string) => `cd "$PWD"; J="$WITNESS/journal-${name}"; touch "$J"
echo turn >> "$WITNESS/turns-${name}"; n=$(($(wc -l < "$WITNESS/turns-${name}")))
lost() { echo "turn $n: $*" >> "$WITNESS/lost"; }
if test -s "$J" && ! sha256sum --check --quiet "$J" > "$WITNESS/check-${name}" 2>&1; then lost "$(cat "$WITNESS/check-${name}")"; fi
while read -r commit; do git merge-base --is-ancestor $commit HEAD || lost "commit $commit"; done < "$J.commits"
test -e "$(git rev-parse --git-path index.lock)" && lost "a lock is left"
test -e b.txt && { rm b.txt; test $n -gt 1 && test -e "$J.deleted" && lost "a deletion"; touch "$J.deleted"; }
echo begun >> "$WITNESS/begun-${name}"
i=0
while ! test -e "$WITNESS/finish"; do
i=$((i + 1)); f="${name}-$n-$i"
head -c $((i * 1000)) /dev/urandom > "$f"; printf 'a\\r\\n%s\\r\\n' $i > "$f.crlf"; ln -s "$f" "$f.link"; chmod +x "$f"
sha256sum "$f" "$f.crlf" "$f.link" >> "$J"
seq $((i * 100)) > a-${name}.txt
if test $((i % 5)) = 0; then git add --all && git commit --quiet -m unfinished && git rev-parse HEAD >> "$J.commits"; fi
done
`

const tasksOf = (units: ReadonlyArray<string>) =>
  Object.fromEntries(
    units.flatMap((name) => [
      [`${name}/IMPLEMENTATION_PLAN.md`, unit()],
      [`${name}/01-task.md`, task(1, writing(name), `test -e "$WITNESS/finish"`)]
    ])
  )

const lines = (file: string): number => (existsSync(file) ? readFileSync(file, "utf8").split("\n").length - 1 : 0)

/** Runs one manager until each unit is in a turn of it, and some time longer, and ends it. */
const cutOff = (
  world: Witness.World,
  program: string,
  config: Config | undefined,
  turn: number,
  units: ReadonlyArray<string>
) =>
  Effect.gen(function* () {
    const underway = eventually(`turn ${turn}`, () =>
      units.every((name) => lines(`${world.witness}/begun-${name}`) >= turn)
    )
    const later = Effect.flatMap(Random.nextIntBetween(0, 300), (pause) => Effect.sleep(pause))
    if (turn % 2 === 1) {
      const life = yield* Life.begin(program, world, config)
      yield* life.until(underway)
      yield* later
      yield* life.kill
    } else {
      const { close } = yield* untilClosed(Witness.manager(world))
      yield* underway
      yield* later
      yield* close
    }
  }).pipe(Effect.scoped)

const cuts = isLong ? 100 : 2

describe("unfinished work", () => {
  for (const units of [["a"], ["a", "b", "c", "d"]])
    it.scopedLive(
      `is complete after kills and closings of the manager at random, while files are written in ${units.length} units`,
      () =>
        Effect.gen(function* () {
          const world = yield* Witness.world
          const program = yield* Life.program
          const { config, top } = yield* Witness.job(world, tasksOf(units), units.length)
          for (const name of units) yield* world.write(`${world.witness}/journal-${name}.commits`, "")
          for (let turn = 1; turn <= cuts; turn++) {
            yield* cutOff(world, program, turn === 1 ? config : undefined, turn, units)
            if (turn % 2 === 0) yield* expectNothingOf(world, top)
          }
          yield* world.write(`${world.witness}/finish`, "")
          const { run, work } = yield* Effect.flatMap(Witness.latest, ({ id }) => ended(id)).pipe(
            Effect.provide(Witness.manager(world))
          )
          expect(existsSync(`${world.witness}/lost`) && readFileSync(`${world.witness}/lost`, "utf8")).toBe(false)
          expect([run.status, run.error]).toEqual(["completed", undefined])
          expect(work.tasks.flatMap(({ failures, notes }) => [failures, ...notes])).toEqual(units.map(() => 0))
          mkdirSync(`${world.root}/landed`)
          yield* world.shell(top, `git archive main | tar -x -C '${world.root}/landed'`)
          const journals = units.map((name) => `sha256sum --check --quiet '${world.witness}/journal-${name}'`)
          yield* world.shell(`${world.root}/landed`, journals.join("\n"))
          expect(yield* world.shell(top, "git fsck --no-dangling --no-progress 2>&1")).toBe("")
        }).pipe(Effect.withRandom(Random.make(cuts))),
      3_600_000
    )
})
