/** Commits of jobs are signed as the user's own ones are, unless that needs a person. */
import { expect, it } from "@effect/vitest"
import { Effect, Logger, LogLevel, Option } from "effect"
import { existsSync, readFileSync } from "node:fs"
import * as Signing from "../../src/git/Signing.js"
import { plain, type Sandbox, sandbox } from "../support/Repository.js"
import { enter, subject, work, worktree } from "./Scenario.js"

/** A user who signs with an SSH key. */
const signer = (world: Sandbox, passphrase: string) =>
  world.shell(
    world.root,
    `ssh-keygen -q -t ed25519 -N '${passphrase}' -f key
     echo "ada@example.com $(cat key.pub)" > signers
     git config --global gpg.format ssh
     git config --global user.signingKey '${world.root}/key.pub'
     git config --global gpg.ssh.allowedSignersFile '${world.root}/signers'
     git config --global commit.gpgSign true`
  )

const scene = (prepare: (world: Sandbox) => Effect.Effect<unknown>) =>
  Effect.gen(function* () {
    const box = yield* sandbox
    const top = yield* plain(box)
    yield* prepare(box)
    return yield* enter(box, top)
  })

const signed = <A, E>(name: string, test: Effect.Effect<A, E, Effect.Effect.Context<typeof sandbox>>) =>
  it.scopedLive(name, () => Logger.withMinimumLogLevel(test, LogLevel.None), 60_000)

signed(
  "commits and merges are signed with the user's SSH key",
  Effect.gen(function* () {
    const world = yield* scene((box) => signer(box, ""))
    const { main, repository, service, top } = world
    const one = yield* work(world, "one", { "one.txt": "1\n" })
    const two = yield* work(world, "two", { "two.txt": "2\n" })
    const merged = yield* service.merge(repository, { ours: one, theirs: two, subject: subject("Merge") })
    if (merged._tag !== "Merged") return expect(merged._tag).toBe("Merged")
    for (const commit of [one, two, merged.commit])
      expect(yield* world.git(top, "log", "-1", "--format=%G? %GS", commit)).toBe("G ada@example.com\n")
    expect(yield* service.unsigned(repository, { from: main, to: merged.commit })).toBe(0)
  })
)

signed(
  "a key with a passphrase, which only a person could enter, leaves commits unsigned and counted",
  Effect.gen(function* () {
    const world = yield* scene((box) => signer(box, "secret"))
    const { main, repository, service, top } = world
    const commit = yield* work(world, "u", { "one.txt": "1\n" })
    expect(yield* world.git(top, "log", "-1", "--format=%G? %s", commit)).toBe("N work of u\n")
    expect(yield* service.unsigned(repository, { from: main, to: commit })).toBe(1)
  })
)

/** A signing program that notes its arguments and environment, and fails. */
const failing = (world: Sandbox, name: string) =>
  world.write(`${world.root}/${name}`, `#!/bin/sh\necho "$*" > "$0-args"\nenv > "$0-env"\nexit 1\n`, 0o755)

signed(
  "GnuPG may not ask for a passphrase, and has no terminal to do so",
  Effect.gen(function* () {
    const world = yield* scene((box) =>
      Effect.zipRight(
        failing(box, "o'gpg"),
        box.shell(
          box.root,
          `git config --global gpg.program "${box.root}/o'gpg"
           git config --global user.signingKey ADA
           git config --global commit.gpgSign yes`
        )
      )
    )
    const commit = yield* work(world, "u", { "one.txt": "1\n" })
    expect(readFileSync(`${world.root}/o'gpg-args`, "utf8")).toMatch(
      /^--batch --pinentry-mode error --status-fd=2 -bsau ADA\n$/
    )
    expect(readFileSync(`${world.root}/o'gpg-env`, "utf8")).not.toMatch(/^(GPG_TTY|DISPLAY|WAYLAND_DISPLAY)=/m)
    expect(yield* world.service.unsigned(world.repository, { from: world.main, to: commit })).toBe(1)
  })
)

signed(
  "a signing program that the repository names is not run",
  Effect.gen(function* () {
    const world = yield* scene((box) =>
      Effect.zipRight(
        failing(box, "gpg"),
        box.shell(
          `${box.root}/repository`,
          `git config --global commit.gpgSign true
           git config gpg.program '${box.root}/gpg'`
        )
      )
    )
    const tree = yield* worktree(world, "u")
    const { commit } = yield* world.service.commit(world.repository, tree, subject("x"))
    expect(existsSync(`${world.root}/gpg-args`)).toBe(false)
    expect(yield* world.service.unsigned(world.repository, { from: world.main, to: commit })).toBe(1)
  })
)

it("commits are signed only where commit.gpgSign is set, by the program of the format", () => {
  const entries = (settings: Readonly<Record<string, string>>, scope = "global") =>
    Object.entries(settings).map(([key, value]) => ({ scope, key, value }))
  const of = (settings: Readonly<Record<string, string>>) => Signing.of(entries(settings))
  expect(of({ "user.signingkey": "ADA" })).toEqual(Option.none())
  expect(of({ "commit.gpgsign": "false" })).toEqual(Option.none())
  expect(of({ "commit.gpgsign": "true" })).toEqual(Option.some({ format: "openpgp", key: undefined, program: "gpg" }))
  expect(of({ "commit.gpgsign": "1", "gpg.format": "ssh", "gpg.program": "mine", "user.signingkey": "k" })).toEqual(
    Option.some({ format: "ssh", key: "k", program: "ssh-keygen" })
  )
  expect(of({ "commit.gpgsign": "on", "gpg.format": "unknown" })).toEqual(Option.none())
})
