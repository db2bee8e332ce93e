/**
 * Numbers over time, as bars for a quick overview. The numbers are also beside the bars, and in the label.
 */
export interface Bar {
  readonly values: ReadonlyArray<{ readonly name: string; readonly value: number }>
}

const height = 40

export const Bars = ({ bars, label }: { readonly bars: ReadonlyArray<Bar>; readonly label: string }) => {
  const totals = bars.map(({ values }) => values.reduce((sum, { value }) => sum + value, 0))
  const most = Math.max(1, ...totals)
  return (
    <svg
      class="bars"
      viewBox={`0 0 ${bars.length * 4} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <rect class="bars-ground" y={height - 0.5} width={bars.length * 4} height="0.5" />
      {bars.map(({ values }, at) => {
        let below = 0
        return values.map(({ name, value }) => {
          const size = (value / most) * (height - 2)
          below += size
          return value === 0 ? null : (
            <rect
              key={`${at} ${name}`}
              class={`bar-${name}`}
              x={at * 4 + 0.5}
              y={height - below}
              width="3"
              height={size}
            />
          )
        })
      })}
    </svg>
  )
}
