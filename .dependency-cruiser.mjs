/**
 * Which way imports point. Types count: what is imported for its type only is imported here too.
 *
 * A directory may import what stands before it in this list, and what stands beside it if that makes no circle.
 */
const floors = [
  ["internal"],
  ["domain"],
  ["store"],
  ["manager"],
  ["process"],
  ["cluster"],
  ["workflow"],
  ["testing"],
  ["progress"],
  ["http", "web"],
  ["git"],
  ["yaml"],
  ["tasks"],
  ["telemetry"],
  ["daemon"],
  ["cli"]
]

/** No production code is built on the scripted orchestrator of tests. */
const mayImport = (from, to) => from === to || to !== "testing"

const direction = floors.flatMap((floor, level) =>
  // `progress` is of every floor, since it imports only types: see `progress-is-for-browsers-too`.
  floor
    .filter((directory) => directory !== "progress")
    .map((directory) => {
      const allowed = floors
        .slice(0, level + 1)
        .flat()
        .filter((other) => mayImport(directory, other))
      return {
        name: `direction-${directory}`,
        comment: `src/${directory} may import: ${allowed.join(", ")}.`,
        severity: "error",
        from: { path: `^src/${directory}/` },
        to: { path: "^src/", pathNot: `^src/(${allowed.join("|")})/` }
      }
    })
)

/** The rooms of the store: a room may import what stands before it. The modules beside them are what the others use, and choose a room. */
const storeRooms = ["port", "rules", "sql", "sqlite", "postgres"]

/** A store on a connection of its own opens its database as `Database.layer` does. */
const opensDatabase = "^src/store/sqlite/SqliteRunStore\\.ts$"

const roomsOfStore = storeRooms.map((room, level) => {
  const allowed = storeRooms.slice(0, level + 1)
  return {
    name: `store-room-${room}`,
    comment: `src/store/${room} may import of the store: ${allowed.join(", ")}.`,
    severity: "error",
    from: { path: `^src/store/${room}/`, pathNot: opensDatabase },
    to: { path: "^src/store/", pathNot: `^src/store/(${allowed.join("|")})/` }
  }
})

const npm = (...names) => `node_modules/(${names.join("|")})(/|$)`

/** Who may import a package; every other directory of `src` may not. */
const only = (name, directories, comment) => ({
  name: `only-${directories.join("-")}-${name}`,
  comment,
  severity: "error",
  from: { path: "^src/", pathNot: `^src/(${directories.join("|")})/` },
  to: { path: npm(name) }
})

export default {
  forbidden: [
    ...direction,
    ...roomsOfStore,
    {
      name: "no-circles",
      comment: "No module imports itself by way of others, not even for a type.",
      severity: "error",
      from: {},
      to: { circular: true }
    },
    {
      name: "domain-is-pure",
      comment:
        "src/domain imports effect and the JSON of src/internal, nothing else: no other package, nothing of Node.",
      severity: "error",
      from: { path: "^src/domain/" },
      to: { pathNot: ["^src/domain/", "^src/internal/Json\\.ts$", npm("effect")] }
    },
    {
      name: "progress-is-for-browsers-too",
      comment:
        "The page is built with it, so it imports types of the domain and of the events of tasks, how text is cleaned, and nothing else.",
      severity: "error",
      from: { path: "^src/progress/" },
      to: { pathNot: ["^src/(progress|domain)/", "^src/internal/plainText\\.ts$", "^src/tasks/events\\.ts$"] }
    },
    {
      name: "progress-imports-types-only",
      comment: "The schemas would bring Effect into the page.",
      severity: "error",
      from: { path: "^src/progress/" },
      to: { path: "^src/(domain|tasks)/", dependencyTypesNot: ["type-only"] }
    },
    {
      name: "tasks-without-http",
      comment: "src/tasks/http serves jobs of tasks; `charlotte/tasks` does not load it.",
      severity: "error",
      from: { path: "^src/tasks/", pathNot: "^src/tasks/http/" },
      to: { path: "^src/(tasks/)?http/" }
    },
    {
      name: "index-is-light",
      comment: '`import "charlotte"` loads neither tasks nor servers nor commands.',
      severity: "error",
      from: { path: "^src/index\\.ts$" },
      to: { pathNot: "^src/(domain|store|manager)/" }
    },
    {
      name: "nobody-imports-the-front-door",
      comment: "src imports modules; the index files are for those outside.",
      severity: "error",
      from: { path: "^src/" },
      to: { path: ["^src/index\\.ts$", "^src/[^/]+/index\\.ts$", "^src/tasks/http/index\\.ts$"] }
    },
    {
      name: "relative-at-home",
      comment: "src names its own modules by their files, not by the package's name.",
      severity: "error",
      from: { path: "^src/" },
      to: { dependencyTypes: ["aliased"] }
    },
    {
      name: "web-stands-alone",
      comment:
        "The page runs in a browser, in 150 KB: of the rest of src it imports progress, and types of the domain.",
      severity: "error",
      from: { path: "^src/web/" },
      to: {
        pathNot: [
          "^src/web/",
          "^src/domain/",
          "^src/progress/",
          npm("preact", "@preact/signals", "lowlight", "highlight\\.js", "@types/hast")
        ]
      }
    },
    {
      name: "web-imports-types-of-the-domain",
      comment: "The schemas of the domain would bring Effect into the page.",
      severity: "error",
      from: { path: "^src/web/" },
      to: { path: "^src/domain/", dependencyTypesNot: ["type-only"] }
    },
    {
      name: "nothing-imports-the-page",
      comment: "The page is built on its own; servers send its files.",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/web/" },
      to: { path: "^src/web/" }
    },
    only("yaml", ["yaml", "tasks"], "Task files are read and edited in two places."),
    only("better-sqlite3", ["store"], "SQL stays inside store."),
    {
      name: "only-SqliteClient-@effect/sql-sqlite-node",
      comment: "The build replaces one module by the client's own code; nothing else may import the package.",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/store/sqlite/SqliteClient\\.ts$" },
      to: { path: npm("@effect/sql-sqlite-node") }
    },
    only("@effect/cluster", ["cluster"], "The engine of a cluster is behind a port."),
    only("@effect/workflow", ["cluster", "workflow"], "The main entry does not load it."),
    only("@effect/rpc", ["cluster"], "The engine of a cluster is behind a port."),
    only(
      "@effect/platform-node",
      ["cluster", "http", "telemetry", "daemon", "cli"],
      "The library runs on what the application provides."
    ),
    {
      name: "no-http-below-http",
      comment: "The library does not load HTTP code.",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(http|web|tasks/http|telemetry|daemon|cli)/" },
      to: { path: "node_modules/@effect/platform/.*Http" }
    },
    {
      name: "src-stands-alone",
      comment: "src imports neither tests nor examples, nor packages that its users do not get.",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^(test|examples|bench)/" }
    },
    {
      name: "no-dev-dependencies",
      comment:
        "What src imports stands under dependencies or peerDependencies in package.json; what the command or the page has in its bundle does not have to.",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(cli/|telemetry/|web/|store/sqlite/SqliteClient\\.ts$)" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["type-only", "npm-peer"] }
    },
    {
      name: "examples-are-what-users-write",
      comment: 'An example imports "charlotte", never a file of src.',
      severity: "error",
      from: { path: "^examples/" },
      to: { path: "^src/", dependencyTypesNot: ["aliased"] }
    },
    {
      name: "resolvable",
      comment: "Every import leads somewhere.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true }
    }
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    // Projects of others, with dependencies of their own.
    exclude: { path: "^examples/[^/]+/project/" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "types", "node", "default"] }
  }
}
