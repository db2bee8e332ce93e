/**
 * A component that renders again only when one of its properties has changed.
 */
import { Component, type ComponentChild, type FunctionComponent } from "preact"

export const memo = <P extends object>(
  View: FunctionComponent<P>,
  isSame: (before: P, after: P) => boolean = shallow
): FunctionComponent<P> => {
  class Memo extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      return !isSame(this.props, next)
    }
    override render(props: P): ComponentChild {
      return <View {...props} />
    }
  }
  return (props: P) => <Memo {...props} />
}

const shallow = (before: object, after: object): boolean => {
  const [a, b] = [Object.entries(before), Object.entries(after)]
  return a.length === b.length && a.every(([name, value], at) => b[at]?.[0] === name && Object.is(b[at]?.[1], value))
}
