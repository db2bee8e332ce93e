/** Jobs of which one unit fails, whose gates record the commits on which they ran. */
import { Effect } from "effect"
import { readFile } from "node:fs/promises"
import type * as Repository from "../../support/Repository.js"
import { task, unit } from "../Jobs.js"
import { counting } from "./Scenes.js"

/** A gate that also records the commits on which it ran. */
export const witnessed = (world: Repository.Sandbox, name: string, gate: string): string =>
  `${counting(world, name)}; git rev-parse HEAD >> '${world.root}/at-${name}'; ${gate}`

export const commitsOf = ({ root }: Repository.Sandbox, name: string) =>
  Effect.promise(async () => (await readFile(`${root}/at-${name}`, "utf8")).trim().split("\n"))

export const settings = (world: Repository.Sandbox, land = "land: done\n") =>
  `attempts: 1\n${land}baseline: [${JSON.stringify(witnessed(world, "baseline", "true"))}]\n`

/** A unit with one task that creates `NAME.txt`. */
export const creates = (
  world: Repository.Sandbox,
  name: string,
  {
    dependsOn = [],
    gate = `test -e ${name}.txt`
  }: { readonly dependsOn?: ReadonlyArray<string>; readonly gate?: string } = {}
) => ({
  [`${name}/IMPLEMENTATION_PLAN.md`]: unit(dependsOn),
  [`${name}/01-${name}.md`]: task(1, `echo ${name} > ${name}.txt`, witnessed(world, name, gate))
})

/** The second task of unit c passes once a test has mended it. */
export const failing = (world: Repository.Sandbox) => ({
  ...creates(world, "c"),
  "c/02-c.md": task(2, "echo more > more.txt", `test -e '${world.root}/mended'`, [1])
})

export const five = (world: Repository.Sandbox) => ({
  "charlotte.yaml": settings(world),
  ...creates(world, "a"),
  ...creates(world, "b"),
  ...failing(world),
  ...creates(world, "d"),
  ...creates(world, "e")
})

export const filesOf = (world: Repository.Sandbox, top: string, revision: string) =>
  Effect.map(world.git(top, "ls-tree", "--name-only", revision), (names) =>
    names.split("\n").filter((name) => /^(\w|more)\.txt$/.test(name))
  )

/** The files of a new repository are `a.txt` and `b.txt`. */
export const landed = ["a.txt", "b.txt", "d.txt", "e.txt"]
