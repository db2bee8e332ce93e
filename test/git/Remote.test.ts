import { describe, expect, it } from "@effect/vitest"
import { Option } from "effect"
import type { Entry } from "../../src/git/GitConfig.js"
import { BranchName } from "../../src/git/RefNames.js"
import * as Remote from "../../src/git/Remote.js"

const main = BranchName.make("main")

const of = (settings: Readonly<Record<string, string>>) => {
  const local = Object.entries(settings).map(([key, value]): Entry => ({ scope: "local", key, value }))
  return Option.getOrUndefined(Remote.of({ local, topLevel: "/home/ada/app" }, main))
}

describe("the remote of a branch", () => {
  it("is the one that the branch tracks, or origin, or the only one", () => {
    const two = { "remote.origin.url": "https://a.example/x/y", "remote.mine.url": "https://b.example/x/y" }
    expect(of({ ...two, "branch.main.remote": "mine" })?.name).toBe("mine")
    expect(of({ ...two, "branch.main.remote": "gone" })?.name).toBe("origin")
    expect(of({ ...two, "branch.other.remote": "mine" })?.name).toBe("origin")
    expect(of({ "remote.Team.x.url": "https://a.example/x/y" })?.name).toBe("Team.x")
    expect(of({ "remote.a.url": "https://a.example/x/y", "remote.b.url": "https://b.example/x/y" })).toBeUndefined()
    expect(of({})).toBeUndefined()
  })

  it("has the URL to which it is pushed, and paths from the top of the repository", () => {
    const pushed = { "remote.origin.url": "https://a.example/x/y", "remote.origin.pushurl": "git@a.example:x/y" }
    expect(of(pushed)?.url).toBe("git@a.example:x/y")
    expect(of({ "remote.origin.url": "../remote.git" })?.url).toBe("/home/ada/remote.git")
    expect(of({ "remote.origin.url": "/srv/a:b.git" })?.url).toBe("/srv/a:b.git")
  })
})

describe("the site of a remote repository", () => {
  const forge = (url: string) => Option.getOrUndefined(Remote.forge({ name: "origin", url }))

  it.each([
    "https://github.com/acme/app.git",
    "https://github.com/acme/app/",
    "https://ada:secret@github.com/acme/app",
    "ssh://git@github.com:22/acme/app.git",
    "git@github.com:acme/app.git",
    "github.com:/acme/app"
  ])("is known from %s", (url) => {
    expect(forge(url)).toEqual({ host: "github.com", path: "acme/app" })
  })

  it.each(["/srv/acme/app.git", "./acme/app", "file:///srv/acme/app", "https://github.com/app", "ext::sh -c acme/app"])(
    "is not known from %s",
    (url) => {
      expect(forge(url)).toBeUndefined()
    }
  )
})
