/**
 * The jobs that ended in the last hour, how long jobs waited and worked, and how many events arrive.
 */
import type { Latency, System } from "../api/system.js"
import * as format from "../../progress/format.js"
import { Bars } from "../ui/Bars.js"
import { rate } from "./eventRate.js"

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((total, number) => total + number, 0)

const Throughput = ({ minutes }: Pick<System, "minutes">) => {
  const completed = sum(minutes.map((minute) => minute.completed))
  const failed = sum(minutes.map((minute) => minute.failed))
  const cancelled = sum(minutes.map((minute) => minute.cancelled))
  const text = `${completed} completed, ${failed} failed, ${cancelled} cancelled`
  return (
    <section class="card" aria-labelledby="throughput-title">
      <h2 id="throughput-title">
        Jobs ended <span class="faint">in the last hour, by minute</span>
      </h2>
      <p class="figures">
        <span>
          <strong class="good number">{completed}</strong> completed
        </span>
        <span>
          <strong class="bad number">{failed}</strong> failed
        </span>
        <span>
          <strong class="number">{cancelled}</strong> cancelled
        </span>
      </p>
      <Bars
        label={`Jobs that ended in each of the last 60 minutes: ${text}`}
        bars={minutes.map((minute) => ({
          values: [
            { name: "good", value: minute.completed },
            { name: "bad", value: minute.failed },
            { name: "faint", value: minute.cancelled }
          ]
        }))}
      />
    </section>
  )
}

interface TimesProps {
  readonly id: string
  readonly title: string
  readonly hint: string
  readonly latency: Latency | undefined
  readonly each: ReadonlyArray<Latency | undefined>
}

const Times = ({ each, hint, id, latency, title }: TimesProps) => (
  <section class="card" aria-labelledby={id}>
    <h2 id={id}>
      {title} <span class="faint">{hint}</span>
    </h2>
    {latency === undefined ? (
      <p class="figures faint">none in the last hour</p>
    ) : (
      <p class="figures">
        <span>
          <strong class="number">{format.span(latency.p50)}</strong> median
        </span>
        <span>
          <strong class="number">{format.span(latency.p95)}</strong> p95
        </span>
        <span>
          <strong class="number">{format.span(latency.max)}</strong> longest
        </span>
      </p>
    )}
    <Bars
      label={`${title} in each of the last 60 minutes, p95`}
      bars={each.map((minute) => ({ values: [{ name: "run", value: minute?.p95 ?? 0 }] }))}
    />
  </section>
)

export const Activity = ({ system: { duration, minutes, wait } }: { readonly system: System }) => (
  <div class="cards">
    <Throughput minutes={minutes} />
    <Times
      id="wait-title"
      title="Wait"
      hint="from submission to start"
      latency={wait}
      each={minutes.map((minute) => minute.wait)}
    />
    <Times
      id="duration-title"
      title="Duration"
      hint="of the last attempt"
      latency={duration}
      each={minutes.map((minute) => minute.duration)}
    />
  </div>
)

export const EventRate = () => {
  const { seconds } = rate.value
  const latest = seconds.at(-1) ?? 0
  const most = Math.max(...seconds)
  return (
    <section class="card" aria-labelledby="events-title">
      <h2 id="events-title">
        Events <span class="faint">in the last minute, by second</span>
      </h2>
      <p class="figures">
        <span>
          <strong class="number">{latest}</strong> a second
        </span>
        <span>
          <strong class="number">{most}</strong> at most
        </span>
      </p>
      <Bars
        label={`Events in each of the last 60 seconds, at most ${most}`}
        bars={seconds.map((value) => ({ values: [{ name: "run", value }] }))}
      />
    </section>
  )
}
