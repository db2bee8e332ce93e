import { expect, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { Diff } from "../../../src/http/contract/Diff.js"
import type { BrowserContextOptions, Page } from "playwright-core"
import { config, emitAll, makeTask } from "../job/story.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import { violations } from "../support/axe.js"
import { act, layer as browser } from "../support/Browser.js"
import * as World from "../support/World.js"

type Page_ = typeof Diff.Encoded
type File = Page_["files"][number]

const commits = { base: "a".repeat(40), head: "b".repeat(40) }

const text = (path: string, patch: string, fields: Partial<File> = {}): File => ({
  path,
  status: "modified",
  additions: patch.split("\n").filter((line) => line.startsWith("+")).length,
  deletions: patch.split("\n").filter((line) => line.startsWith("-")).length,
  binary: false,
  patch,
  ...fields
})

const source = `@@ -1,5 +1,6 @@ export const greet
 /** Greets
- * somebody by the name. */
+ * a person by the name. */
 export const greet = (name: string) => {
-  return "Hello, " + name
+  const shown = name.trim()
+  return "Hello, " + shown
 }`

const added = (lines: number): string =>
  `@@ -0,0 +1,${lines} @@\n${Array.from({ length: lines }, (_, at) => `+line ${at + 1}`).join("\n")}`

const ordinary: ReadonlyArray<File> = [
  text("src/greet.ts", source),
  text("src/old name.ts", "", { path: "src/new name.ts", oldPath: "src/old name.ts", status: "renamed", patch: "" }),
  text("bin/run", "", { oldMode: "100644", mode: "100755" }),
  { path: "logo.png", status: "added", additions: 0, deletions: 0, binary: true },
  { path: "data.json", status: "added", additions: 9e6, deletions: 0, binary: false, tooLarge: true },
  text("large.txt", added(3_000), { status: "added" }),
  text("gone.py", "@@ -1,2 +0,0 @@\n-import os\n-print(os.name)", { status: "deleted" })
]

/** A page that is shown these pages of a diff. */
const withDiff = (respond: (query: URLSearchParams) => Page_ | undefined, options: BrowserContextOptions = {}) =>
  Effect.gen(function* () {
    const world = yield* World.make()
    const id = yield* world.client.start(config())
    const tab = yield* world.open("/jobs", options)
    // Once the session has begun, other addresses open in it.
    yield* act(() => tab.page.locator(".connection.good").waitFor())
    yield* act(() =>
      tab.context.route("**/api/v1/jobs/*/diff?*", (route) => {
        const page = respond(new URL(route.request().url()).searchParams)
        return page === undefined ? route.continue() : route.fulfill({ json: page })
      })
    )
    const show = (query = "") => act(() => tab.page.goto(new URL(`/jobs/${id}/diff${query}`, tab.page.url()).href))
    yield* show()
    return { ...tab, id, show, world }
  })

const file = (page: Page, path: string) => page.getByRole("region", { name: path, exact: true })

const isOpen = (page: Page, path: string) =>
  act(() => file(page, path).getByRole("button").first().getAttribute("aria-expanded"))

layer(browser, { excludeTestServices: true })("the view of a diff", (it) => {
  it.scoped(
    "shows old and new lines side by side, and remembers which files were viewed as long as they stay the same",
    () =>
      Effect.gen(function* () {
        let patch = source
        const { page, problems, show } = yield* withDiff(() => ({
          ...commits,
          files: [text("package-lock.json", added(2)), text("src/greet.ts", patch)]
        }))
        yield* act(() => file(page, "src/greet.ts").getByText("Greets").waitFor())
        const names = yield* act(() => page.getByRole("region").evaluateAll((all) => all.map((each) => each.ariaLabel)))
        expect(names.filter((name) => name?.includes("."))).toEqual(["src/greet.ts", "package-lock.json"])

        yield* act(() => page.getByRole("button", { name: "Side by side" }).click())
        const pair = file(page, "src/greet.ts").locator(".diff-pair").filter({ hasText: "somebody" })
        yield* act(() => pair.getByText("a person").waitFor())
        expect(yield* violations(page)).toEqual([])
        // A telephone has no room for it.
        yield* act(() => page.setViewportSize({ width: 375, height: 800 }))
        yield* act(() => page.getByRole("button", { name: "Side by side" }).waitFor({ state: "detached" }))
        expect(yield* act(() => page.locator(".diff-pair").count())).toBe(0)
        yield* act(() => page.setViewportSize({ width: 1280, height: 800 }))
        yield* act(() => pair.getByText("a person").waitFor())

        const viewed = (path: string) => file(page, path).getByLabel("Viewed")
        yield* act(() => viewed("src/greet.ts").check())
        expect(yield* isOpen(page, "src/greet.ts")).toBe("false")
        yield* show()
        yield* act(() => page.getByText("1 viewed").waitFor())
        expect(yield* isOpen(page, "src/greet.ts")).toBe("false")
        patch = `${source}\n `
        yield* show()
        yield* act(() => file(page, "src/greet.ts").locator(".diff-pair").first().waitFor())
        expect(yield* act(() => viewed("src/greet.ts").isChecked())).toBe(false)
        expect(problems).toEqual([])
      })
  )

  it.scoped("shows the changed lines of each file, highlighted, and names what has no lines", () =>
    Effect.gen(function* () {
      const { page, problems } = yield* withDiff(() => ({ ...commits, files: ordinary }))
      yield* act(() => page.getByText("7 files").first().waitFor())
      const greet = file(page, "src/greet.ts")
      yield* act(() => greet.locator(".hl-keyword").getByText("const").first().waitFor())
      const lines = yield* act(() => greet.locator(".diff-line").allInnerTexts())
      expect(lines.map((line) => line.replace(/\n/g, "|"))).toEqual([
        "1|1|/** Greets",
        "2|-| * somebody by the name. */",
        "2|+| * a person by the name. */",
        "3|3|export const greet = (name: string) => {",
        '4|-|  return "Hello, " + name',
        "4|+|  const shown = name.trim()",
        '5|+|  return "Hello, " + shown',
        "5|6|}"
      ])
      expect(yield* act(() => greet.locator(".removed .changed").allInnerTexts())).toEqual(["somebody"])
      for (const [path, words] of [
        ["src/new name.ts", "No line differs."],
        ["bin/run", "mode 100644 → 100755"],
        ["logo.png", "A binary file."],
        ["data.json", "Too large to be shown here."]
      ] as const) {
        if ((yield* isOpen(page, path)) === "false")
          yield* act(() => file(page, path).getByRole("button").first().click())
        yield* act(() => file(page, path).getByText(words).waitFor())
      }
      yield* act(() => file(page, "src/new name.ts").getByText("src/old name.ts →").waitFor())
      expect(problems).toEqual([])
    })
  )

  it.scoped("folds a large file, and opens it piece by piece", () =>
    Effect.gen(function* () {
      const { page } = yield* withDiff(() => ({ ...commits, files: ordinary }))
      const large = file(page, "large.txt")
      yield* act(() => large.waitFor())
      expect(yield* isOpen(page, "large.txt")).toBe("false")
      expect(yield* act(() => large.locator(".diff-line").count())).toBe(0)
      yield* act(() => large.getByRole("button").click())
      yield* act(() => large.getByText("line 1000", { exact: true }).waitFor())
      expect(yield* act(() => large.locator(".diff-line").count())).toBe(1_000)
      yield* act(() => large.getByRole("button", { name: "Show more: 2000 lines are left" }).click())
      yield* act(() => large.getByText("line 2000", { exact: true }).waitFor())
      yield* act(() => page.getByRole("button", { name: "Fold all" }).click())
      yield* act(() => page.waitForFunction(() => document.querySelectorAll(".diff-line").length === 0))
    })
  )

  it.scoped("shows one unit or all, reads further pages, and says when there is more", () =>
    Effect.gen(function* () {
      const { id, page, problems, show, world } = yield* withDiff((query) => {
        const unit = query.get("unit")
        if (unit !== null) return { ...commits, files: [text(`of-${unit}.txt`, added(1))] }
        return query.get("after") === null
          ? { ...commits, files: [text("first.txt", added(1))], next: "token" }
          : { ...commits, files: [text(`after-${query.get("after")}.txt`, added(2))] }
      })
      yield* act(() => file(page, "first.txt").waitFor())
      yield* act(() => page.getByRole("button", { name: "More files" }).click())
      yield* act(() => file(page, "after-token.txt").getByText("line 2").waitFor())
      yield* act(() => page.getByText("2 files").first().waitFor())

      const logs = yield* TemporaryDirectory.make
      yield* world.script.send(id, ...emitAll(makeTask(logs).done("api", 1, 1)))
      yield* act(() => page.getByRole("button", { name: "Show the newer changes" }).click())
      yield* act(() => page.getByText("1 file so far").waitFor())

      yield* show("?unit=api")
      yield* act(() => file(page, "of-api.txt").waitFor())
      expect(problems).toEqual([])
    })
  )

  it.scoped("can be used with the keyboard only, and opens at the file of its address", () =>
    Effect.gen(function* () {
      const { id, page, show } = yield* withDiff(() => ({ ...commits, files: ordinary }))
      yield* act(() => file(page, "src/greet.ts").waitFor())
      const press = (...keys: ReadonlyArray<string>) =>
        Effect.forEach(keys, (key) => act(() => page.keyboard.press(key)), { discard: true })
      const focused = act(() => page.evaluate(() => document.activeElement?.closest("section")?.ariaLabel ?? ""))
      yield* press("j", "j", "j")
      expect(yield* focused).toBe("bin/run")
      yield* press("k")
      expect(yield* focused).toBe("src/new name.ts")
      expect(new URL(page.url()).search).toBe("?file=src%2Fnew+name.ts")
      yield* press("k", "o")
      expect(yield* isOpen(page, "src/greet.ts")).toBe("false")
      yield* press("Enter")
      expect(yield* isOpen(page, "src/greet.ts")).toBe("true")
      yield* press("/")
      yield* act(() => page.keyboard.type("gone"))
      yield* press("Enter")
      expect(yield* focused).toBe("gone.py")
      yield* show("?file=logo.png")
      yield* act(() => file(page, "logo.png").waitFor())
      yield* act(() => page.waitForFunction(() => document.activeElement?.closest("section")?.ariaLabel === "logo.png"))
      yield* press("Escape")
      yield* act(() => page.waitForFunction((id) => location.pathname === `/jobs/${id}`, id))
    })
  )

  it.scoped("keeps the current file where the changes that are read again have others before it", () =>
    Effect.gen(function* () {
      let names = ["b.txt", "c.txt"]
      const { id, page, world } = yield* withDiff(() => ({
        ...commits,
        files: names.map((name) => text(name, added(1)))
      }))
      yield* act(() => file(page, "c.txt").waitFor())
      yield* act(() => page.keyboard.press("j"))
      names = ["a.txt", ...names]
      const logs = yield* TemporaryDirectory.make
      yield* world.script.send(id, ...emitAll(makeTask(logs).done("api", 1, 1)))
      yield* act(() => page.getByRole("button", { name: "Show the newer changes" }).click())
      yield* act(() => file(page, "a.txt").waitFor())
      yield* act(() => page.keyboard.press("v"))
      yield* act(() => page.getByText("1 viewed").waitFor())
      expect(yield* act(() => file(page, "b.txt").getByLabel("Viewed").isChecked())).toBe(true)
    })
  )

  it.scoped("shows hostile names and lines literally", () =>
    Effect.gen(function* () {
      const hostile = `"><img src=x onerror="window.pwned=1"><script>window.pwned=1</script>`
      const patch = `@@ -1,2 +1,2 @@ ${hostile}\n-${hostile}\n--- a/x\n+</span>${hostile}\n+if (admin\u202e) {`
      const names = [`${hostile}.html`, "../../etc/passwd", "safe\u202egnp.exe", "line\nbreak.ts", "__proto__"]
      const { page, problems } = yield* withDiff(() => ({ ...commits, files: names.map((name) => text(name, patch)) }))
      yield* act(() => page.getByText("5 files").first().waitFor())
      const html = file(page, `${hostile}.html`)
      yield* act(() => html.locator(".hl-name, .hl-tag").first().waitFor())
      expect(yield* act(() => html.locator(".diff-text").allTextContents())).toEqual([
        hostile,
        "-- a/x",
        `</span>${hostile}`,
        "if (admin‹U+202E›) {"
      ])
      yield* act(() => file(page, "safe‹U+202E›gnp.exe").waitFor())
      const found = yield* act(() =>
        page.evaluate(() => [document.querySelectorAll("main img, main script").length, Reflect.get(window, "pwned")])
      )
      expect(found).toEqual([0, undefined])
      expect(problems).toEqual([])
    })
  )

  it.scoped("says why there is no diff", () =>
    Effect.gen(function* () {
      const { page } = yield* withDiff(() => undefined)
      // The server loads its git with the first of these requests.
      yield* act(() => page.getByText("its repository was not read yet").waitFor())
    })
  )

  for (const colorScheme of ["light", "dark"] as const) {
    for (const width of [1280, 375]) {
      it.scoped(`has no violation of axe, ${colorScheme}, ${width} pixels wide`, () =>
        Effect.gen(function* () {
          const options = { colorScheme, viewport: { width, height: 800 } }
          const { page } = yield* withDiff(() => ({ ...commits, files: ordinary }), options)
          yield* act(() => page.locator(".hl-keyword").first().waitFor())
          expect(yield* violations(page)).toEqual([])
          const overflow = yield* act(() => page.evaluate(() => document.documentElement.scrollWidth - innerWidth))
          expect(overflow).toBeLessThanOrEqual(0)
        })
      )
    }
  }
})
