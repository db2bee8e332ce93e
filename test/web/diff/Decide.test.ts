/** Approving and rejecting a result beside its changes, with a daemon and real tasks. */
import { expect, layer } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import type { Page } from "playwright-core"
import * as Charlotte from "../../cli/process/Charlotte.js"
import * as Daemon from "../../cli/process/Daemon.js"
import { task, unit } from "../../tasks/Jobs.js"
import { violations } from "../support/axe.js"
import { act, layer as browser } from "../support/Browser.js"
import { installPage } from "../support/Daemon.js"
import { openingOf, visit } from "../support/World.js"

installPage()

const files = () => ({
  "charlotte.yaml": "agent: script\nattempts: 1\nland: ask\n",
  "api/IMPLEMENTATION_PLAN.md": unit(),
  "api/01-one.md": task(1, "echo one > api.txt", "ls api.txt"),
  "web/IMPLEMENTATION_PLAN.md": unit(),
  "web/01-one.md": task(1, "echo page > page.html", "ls page.html")
})

const file = (page: Page, path: string) => page.getByRole("region", { name: path, exact: true })

/** Waits until the job has parked again after the task of a rejection. */
const asksAgain = (world: Charlotte.World, id: string) =>
  Charlotte.run(world, `exec charlotte show ${id} --json`).pipe(
    Effect.map(({ out }) => JSON.parse(out)),
    Effect.repeat({
      until: ({ attempt, status }) => attempt === 2 && status === "parked",
      schedule: Schedule.spaced("50 millis")
    })
  )

layer(browser, { excludeTestServices: true })("the decision about a result", (it) => {
  it.scoped("stands beside its changes: a rejected unit continues, and what is approved then lands", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(files)
      yield* Daemon.up(world)
      const id = yield* Daemon.submit(world)
      const { page, problems } = yield* visit(openingOf(`${world.home}/socket`, `/jobs/${id}`))
      yield* act(() => page.locator(".messages").getByText("Waits for approval").waitFor())
      yield* act(() => page.getByText(`charlotte approve ${id}`).first().waitFor())
      yield* act(() => page.getByRole("link", { name: "Review" }).click())
      yield* act(() => file(page, "api.txt").waitFor())

      yield* act(() => page.getByRole("button", { name: "Reject …" }).click())
      const dialog = page.getByRole("dialog", { name: "Reject the result" })
      expect(yield* violations(page)).toEqual([])
      yield* act(() => dialog.getByLabel("What is wrong with it").fill("More:\n```sh\necho two >> api.txt\n```"))
      yield* act(() => dialog.getByText("Nothing lands.").waitFor())
      yield* act(() => dialog.getByLabel("What happens next").selectOption("api"))
      yield* act(() => dialog.getByRole("button", { name: "Reject" }).click())
      yield* act(() => page.getByText("Rejected: unit api continues.").waitFor())

      yield* asksAgain(world, id)
      yield* act(() => page.getByRole("button", { name: "Show the newer changes" }).click())
      yield* act(() => file(page, "api.txt").getByText("two").waitFor())
      yield* act(() => page.getByRole("button", { name: "Approve" }).click())
      yield* act(() => page.getByText("Approved: the result lands.").waitFor())
      expect((yield* Charlotte.run(world, `exec charlotte watch ${id}`)).code).toBe(0)
      yield* act(() => page.getByRole("button", { name: "Approve" }).waitFor({ state: "detached" }))
      expect(yield* world.git(world.repository, "show", "main:api.txt")).toBe("one\ntwo\n")
      expect(problems).toEqual([])
      yield* Daemon.down(world)
    })
  )
})
