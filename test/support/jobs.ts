import { JobId } from "charlotte"

/** A configuration that no orchestrator of these tests looks at. */
export const config = { repoPath: "/tmp/repo", tasksDir: "/tmp/tasks", targetBranch: "main" }

/** A well-formed id that no job has. */
export const unknownId = JobId.make("01ARZ3NDEKTSV4RRFFQ69G5FAV")
