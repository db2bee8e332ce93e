/**
 * Text in differently styled pieces, such as a highlighted line.
 */
export interface StyledText {
  readonly text: string
  readonly classes: string
  /** Whether a search matched this piece. */
  readonly isMatch?: boolean
}

export const Spans = ({ pieces }: { readonly pieces: ReadonlyArray<StyledText> }) => (
  <>
    {pieces.map(({ classes, isMatch, text }, at) =>
      isMatch === true ? (
        <mark key={at}>{text}</mark>
      ) : classes === "" ? (
        text
      ) : (
        <span key={at} class={classes}>
          {text}
        </span>
      )
    )}
  </>
)
