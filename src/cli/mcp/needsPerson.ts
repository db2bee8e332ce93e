import * as progress from "../../progress/needsPerson.js"
import type { Job, ListedJob } from "../../http/contract/Api.js"

/** The questions of a job that have no answer. */
export const openQuestions = ({ questions = [] }: Pick<Job, "questions">) =>
  questions.filter(({ answer }) => answer === undefined)

export const needsPerson = (job: Job | ListedJob): boolean =>
  progress.choose([{ ...job, questions: openQuestions(job) }]).length > 0
