/**
 * Tools whose commands are the same in each project that has their files.
 */
import { Effect, Option } from "effect"
import type { Detect, Files, Setup } from "./Tool.js"

const isThere = (files: Files, names: ReadonlyArray<string>) => Effect.map(files.first(names), Option.isSome)

/** The first of these commands whose file is there, or else the last one. */
const byFile = (files: Files, choices: ReadonlyArray<readonly [file: string, command: string]>, otherwise: string) =>
  Effect.map(
    Effect.findFirst(choices, ([file]) => files.has(file)),
    Option.match({ onNone: () => otherwise, onSome: ([, command]) => command })
  )

/** The command that sets a project up, and those of the files that are there. */
const setupBy = (files: Files, run: string, inputs: ReadonlyArray<string>) =>
  Effect.map(Effect.filter(inputs, files.has), (inputs): Setup => ({ run, inputs }))

const cargo: Detect = (files) =>
  Effect.gen(function* () {
    if (!(yield* files.has("Cargo.toml"))) return Option.none()
    return Option.some({
      name: "cargo",
      gates: ["cargo test"],
      inCi: /^cargo (?:\+\S+ )?(?:test|nextest run)\b/,
      hasPackages: /^\[workspace\]/m.test(yield* files.text("Cargo.toml")),
      leavings: ["target"]
    })
  })

const go: Detect = (files) =>
  Effect.map(
    files.first(["go.mod"]),
    Option.as({ name: "go", gates: ["go test ./..."], inCi: /^go test\b.*\.\/\.\.\./, leavings: [] })
  )

const maven: Detect = (files) =>
  Effect.gen(function* () {
    if (!(yield* files.has("pom.xml"))) return Option.none()
    const gate = yield* byFile(files, [["mvnw", "./mvnw --batch-mode test"]], "mvn --batch-mode test")
    return Option.some({
      name: "maven",
      gates: [gate],
      inCi: /^(?:\.\/mvnw|mvn) .*\b(?:test|verify)$/,
      leavings: ["target"]
    })
  })

const gradle: Detect = (files) =>
  Effect.gen(function* () {
    const builds = ["build", "settings"].flatMap((name) => [`${name}.gradle`, `${name}.gradle.kts`])
    if (!(yield* isThere(files, builds))) return Option.none()
    const gate = yield* byFile(files, [["gradlew", "./gradlew test"]], "gradle test")
    return Option.some({
      name: "gradle",
      gates: [gate],
      inCi: /^(?:\.\/gradlew|gradle) .*\b(?:test|check)$/,
      leavings: [".gradle", "build"]
    })
  })

const ruby: Detect = (files) =>
  Effect.gen(function* () {
    if (!(yield* files.has("Gemfile"))) return Option.none()
    const gemspecs = (yield* files.list(".")).filter((name) => name.endsWith(".gemspec"))
    const texts = yield* Effect.forEach(["Gemfile", ...gemspecs, "spec/spec_helper.rb"], files.text)
    // Specs may be those of minitest.
    const hasSpecs = (yield* files.has(".rspec")) || texts.some((text) => /\brspec\b/i.test(text))
    const hasRakefile = yield* isThere(files, ["Rakefile", "rakefile"])
    const hasTests = (yield* files.list("test")).length > 0
    const gates = hasSpecs
      ? ["bundle exec rspec"]
      : (yield* files.has("bin/rails")) && hasTests
        ? ["bin/rails test"]
        : hasRakefile
          ? [`bundle exec rake${hasTests ? " test" : ""}`]
          : []
    return Option.some({
      name: "ruby",
      setup: yield* setupBy(files, "bundle install", ["Gemfile", "Gemfile.lock"]),
      gates,
      inCi: /^bundle exec (?:rspec|rake(?: test| spec)?)$|^bin\/rails test$/,
      leavings: []
    })
  })

const php: Detect = (files) =>
  Effect.gen(function* () {
    if (!(yield* files.has("composer.json"))) return Option.none()
    const manifest = yield* files.text("composer.json")
    const hasScript = /"scripts"\s*:\s*\{[^}]*"test"\s*:/.test(manifest)
    const hasPest = /"pestphp\/pest"/.test(manifest)
    const hasPhpunit =
      /"phpunit\/phpunit"/.test(manifest) ||
      (yield* isThere(files, ["phpunit.xml", "phpunit.xml.dist", "phpunit.dist.xml"]))
    return Option.some({
      name: "php",
      setup: yield* setupBy(files, "composer install --no-interaction", ["composer.json", "composer.lock"]),
      gates: hasScript ? ["composer test"] : hasPest ? ["vendor/bin/pest"] : hasPhpunit ? ["vendor/bin/phpunit"] : [],
      inCi: /^(?:composer (?:run )?test|(?:\.\/)?vendor\/bin\/(?:phpunit|pest))$/,
      leavings: ["vendor"]
    })
  })

const dotnet: Detect = (files) =>
  Effect.map(files.list("."), (names) => {
    const projects = names.filter((name) => /\.(?:slnx?|[cf]sproj)$/.test(name))
    return projects.length === 0
      ? Option.none()
      : Option.some({
          name: ".NET",
          setup: { run: "dotnet restore", inputs: projects },
          gates: ["dotnet test"],
          // Nothing is built yet in a fresh checkout.
          inCi: /^dotnet test\b(?!.*--no-build)/,
          leavings: ["bin", "obj"]
        })
  })

const elixir: Detect = (files) =>
  Effect.gen(function* () {
    if (!(yield* files.has("mix.exs"))) return Option.none()
    return Option.some({
      name: "elixir",
      setup: yield* setupBy(files, "mix deps.get", ["mix.exs", "mix.lock"]),
      gates: ["mix test"],
      inCi: /^mix test\b/,
      leavings: ["_build", "deps"]
    })
  })

const deno: Detect = (files) =>
  Effect.gen(function* () {
    const file = yield* files.first(["deno.json", "deno.jsonc"])
    if (Option.isNone(file)) return Option.none()
    const hasTask = /"tasks"\s*:\s*\{[^}]*"test"\s*:/.test(yield* files.text(file.value))
    return Option.some({
      name: "deno",
      gates: [hasTask ? "deno task test" : "deno test"],
      inCi: /^deno (?:task )?test\b/,
      leavings: []
    })
  })

export const byFiles: ReadonlyArray<Detect> = [cargo, go, maven, gradle, ruby, php, dotnet, elixir, deno]
