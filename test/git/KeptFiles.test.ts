import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, lstatSync, readFileSync, readlinkSync } from "node:fs"
import { scenario, worktree } from "./Scenario.js"

scenario(
  "files of a worktree are put back as they were, with its branch, and nothing is left of what was added",
  (world) =>
    Effect.gen(function* () {
      const { main, repository, service } = world
      const tree = yield* worktree(world, "u")
      const { path } = tree
      yield* world.shell(
        path,
        `printf 'ignored*\\n' > .gitignore; echo set up > a.txt; mkdir new; echo new > new/file
       echo kept > ignored; ln -s a.txt link; chmod +x a.txt`
      )
      const kept = yield* service.keepFiles(repository, tree, main)
      expect(kept).toMatchObject({ commit: main, isChanged: true, ignored: ["ignored"] })
      const before = yield* service.status(repository, tree)
      yield* world.shell(
        path,
        `chmod -x a.txt; echo mess >> a.txt; rm -r dir new link; mkdir link; echo mess > link/file; echo mess > added
       mkdir -p deep/er; echo mess > deep/er/file; chmod 500 deep/er; echo changed > ignored; mkdir ignored-2; echo x > ignored-2/x
       git add --all; git commit --quiet -m mess; echo more > dir; git add dir`
      )
      yield* service.putFilesBack(repository, tree, kept)
      expect(readFileSync(`${path}/a.txt`, "utf8")).toBe("set up\n")
      expect(lstatSync(`${path}/a.txt`).mode & 0o111).not.toBe(0)
      expect(readFileSync(`${path}/new/file`, "utf8")).toBe("new\n")
      expect(readFileSync(`${path}/dir/c.txt`, "utf8")).toBe("c\n")
      expect(readlinkSync(`${path}/link`)).toBe("a.txt")
      for (const gone of ["added", "deep/er/file", "ignored-2"]) expect(existsSync(`${path}/${gone}`), gone).toBe(false)
      // What git ignores and was there is not protected.
      expect(readFileSync(`${path}/ignored`, "utf8")).toBe("changed\n")
      expect(yield* service.status(repository, tree)).toEqual(before)
      expect(yield* world.git(path, "rev-parse", "HEAD")).toBe(`${main}\n`)
      expect(yield* world.git(path, "diff", "--cached", "--name-only")).toBe("")
      expect(yield* service.keepFiles(repository, tree, main)).toEqual(kept)
    })
)

scenario(
  "a commit that a command has left in a worktree does not enter the repository when its files are put back",
  (world) =>
    Effect.gen(function* () {
      const { main, repository, service, top } = world
      const tree = yield* worktree(world, "u")
      const kept = yield* service.keepFiles(repository, tree, main)
      expect(kept.isChanged).toBe(false)
      const commit = (yield* world.shell(
        tree.path,
        "echo x > x; git add x; git commit -qm x; git rev-parse HEAD"
      )).trim()
      yield* service.putFilesBack(repository, tree, kept)
      expect(yield* Effect.exit(world.git(top, "cat-file", "-e", commit))).toMatchObject({ _tag: "Failure" })
      expect(yield* service.status(repository, tree)).toMatchObject({ commit: main, changed: [] })
    })
)
