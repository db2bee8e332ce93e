/** What a daemon shows of the commits that a job has made in a repository. */
import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { Page } from "playwright-core"
import * as Charlotte from "../../cli/process/Charlotte.js"
import * as Daemon from "../../cli/process/Daemon.js"
import * as Tasks from "../../cli/process/Tasks.js"
import { task, unit } from "../../tasks/Jobs.js"
import { violations } from "../support/axe.js"
import { act, layer as browser } from "../support/Browser.js"
import { installPage } from "../support/Daemon.js"
import { openingOf, visit } from "../support/World.js"

installPage()

const hostile = `<img src=x onerror="window.pwned=1"><b>hi</b>`

/** Changes, adds, renames and removes files. */
const first = `
printf 'one\\nTWO\\nthree\\n' > counts.txt
mkdir -p src && printf 'export const answer = 42\\n' > src/answer.ts
git mv old.txt new.txt 2> /dev/null || mv old.txt new.txt
rm gone.txt
head -c 300 /dev/zero > zeros.bin
printf '%s\\n' '${hostile}' > '<b>.txt'
`

const files = (root: string) => ({
  "charlotte.yaml": "agent: script\nattempts: 1\n",
  "api/IMPLEMENTATION_PLAN.md": unit(),
  "api/01-one.md": task(1, first, "ls new.txt"),
  "api/02-two.md": task(
    2,
    `touch '${root}/reached'\nwhile ! test -e '${root}/go'; do sleep 0.05; done\necho four >> counts.txt`,
    "grep four counts.txt",
    [1]
  ),
  "web/IMPLEMENTATION_PLAN.md": unit(),
  "web/01-one.md": task(1, "echo page > page.html", "ls page.html")
})

/** What the job finds in the repository. */
const before = {
  "counts.txt": "one\ntwo\nthree\n",
  "old.txt": "renamed, and otherwise the same\n".repeat(5),
  "gone.txt": "removed\n"
}

const file = (page: Page, path: string) => page.getByRole("region", { name: path, exact: true })

/** Its lines as they are read: the numbers, the sign and the text; also of a file that the browser has not laid out. */
const lines = (page: Page, path: string) =>
  Effect.map(
    act(() =>
      file(page, path)
        .locator(".diff-line")
        .evaluateAll((all) => all.map((line) => Array.from(line.children, ({ textContent }) => textContent.trim())))
    ),
    (all) => all.map((cells) => cells.filter((cell) => cell !== "").join("|"))
  )

const paths = (page: Page) =>
  act(() => page.locator(".diff-files section").evaluateAll((all) => all.map(({ ariaLabel }) => ariaLabel)))

const commitsOf = ({ git, repository }: Charlotte.World, ...range: ReadonlyArray<string>) =>
  Effect.map(git(repository, "log", "--format=%H", ...range), (log) => log.trim().split("\n"))

layer(browser, { excludeTestServices: true })("the view of a diff, by a daemon and its repository", (it) => {
  it.scoped(
    "shows the commits of a task while its unit is at work, then those of all, and a hostile label literally",
    () =>
      Effect.gen(function* () {
        const world = yield* Charlotte.world(files)
        for (const [path, content] of Object.entries(before)) yield* world.write(`${world.repository}/${path}`, content)
        yield* Charlotte.commit(world, "before")
        const [base = ""] = yield* commitsOf(world, "-1", "main")
        yield* Daemon.up(world)
        const id = yield* Daemon.submit(world, `--label 'team=${hostile}'`)
        yield* Tasks.reached(world)

        const { page, problems } = yield* visit(openingOf(`${world.home}/socket`, `/jobs/${id}`))
        yield* act(() => page.locator(".job-facts").getByText(`team=${hostile}`, { exact: true }).waitFor())
        yield* act(() => page.locator(".actions").getByRole("link", { name: "Diff" }).click())
        yield* act(() => page.getByRole("heading", { name: "Changes" }).waitFor())
        yield* act(() => page.getByLabel("Of").selectOption("api"))
        // The server loads its git with the first of these requests.
        yield* act(() => file(page, "counts.txt").waitFor())

        expect(yield* paths(page)).toEqual([
          "<b>.txt",
          "counts.txt",
          "gone.txt",
          "new.txt",
          "src/answer.ts",
          "zeros.bin",
          // The files of tasks come last.
          "tasks/api/01-one.md"
        ])
        const list = page.getByRole("navigation", { name: "Files" })
        for (const path of ["counts.txt", "src/answer.ts"])
          yield* act(() => list.getByText(path.split("/").at(-1) ?? "").waitFor())
        expect(yield* lines(page, "counts.txt")).toEqual(["1|1|one", "2|-|two", "2|+|TWO", "3|3|three"])
        expect(yield* lines(page, "src/answer.ts")).toEqual(["1|+|export const answer = 42"])
        expect(yield* lines(page, "gone.txt")).toEqual(["1|-|removed"])
        expect(yield* lines(page, "<b>.txt")).toEqual([`1|+|${hostile}`])
        yield* act(() => file(page, "new.txt").getByText("old.txt →").waitFor())
        yield* act(() => file(page, "zeros.bin").getByText("A binary file.").waitFor())
        yield* act(() => page.locator(".job-title code").getByText(base.slice(0, 8)).waitFor())

        yield* Tasks.release(world)
        yield* act(() => page.getByRole("button", { name: "Show the newer changes" }).click())
        yield* act(() => file(page, "counts.txt").getByText("four").waitFor())
        expect(yield* lines(page, "counts.txt")).toEqual(["1|1|one", "2|-|two", "2|+|TWO", "3|3|three", "4|+|four"])
        const [head = ""] = yield* commitsOf(world, "-1", "--all", "--grep=Charlotte-Task: 2")
        yield* act(() => page.locator(".job-title code").getByText(head.slice(0, 8)).waitFor())

        const ofTask = page.getByRole("combobox", { name: "Task", exact: true })
        yield* act(() => ofTask.selectOption({ label: "2. Task 2" }))
        yield* act(() => page.getByText("2 files").waitFor())
        expect(yield* paths(page)).toEqual(["counts.txt", "tasks/api/02-two.md"])
        expect(yield* lines(page, "counts.txt")).toEqual(["1|1|one", "2|2|TWO", "3|3|three", "4|+|four"])
        expect(new URL(page.url()).search).toBe("?unit=api&task=2")
        yield* act(() => page.setViewportSize({ width: 375, height: 800 }))
        expect(yield* violations(page)).toEqual([])
        const overflow = yield* act(() => page.evaluate(() => document.documentElement.scrollWidth - innerWidth))
        expect(overflow).toBeLessThanOrEqual(0)
        // With the keyboard, and in an address that is opened again.
        yield* act(() => ofTask.press("ArrowUp"))
        yield* act(() => file(page, "src/answer.ts").waitFor())
        yield* act(() => page.reload())
        yield* act(() => file(page, "src/answer.ts").waitFor())
        expect(yield* act(() => ofTask.inputValue())).toBe("1")
        yield* act(() => page.getByText("7 files").waitFor())

        expect((yield* Charlotte.run(world, `exec charlotte watch ${id}`)).code).toBe(0)
        yield* act(() => page.getByLabel("Of").selectOption(""))
        yield* act(() => file(page, "page.html").waitFor())
        expect(yield* lines(page, "page.html")).toEqual(["1|+|page"])
        expect(yield* act(() => page.evaluate(() => Reflect.get(window, "pwned")))).toBeUndefined()
        expect(problems).toEqual([])
        yield* Daemon.down(world)
      })
  )
})
