import { parser } from '@prometheus-io/lezer-promql';

export type Matcher = {
  readonly label: string;
  readonly operator: '=' | '!=' | '=~' | '!~';
  readonly value: string;
};

export type Selector = { readonly metric: string; readonly matchers: readonly Matcher[] };

export type Query = {
  readonly selectors: readonly Selector[];
  /** The labels that it groups and joins by. */
  readonly labels: readonly string[];
};

/**
 * Returns the series that a PromQL expression selects, by the grammar of Prometheus' own editor.
 * @throws Error if the expression does not match that grammar.
 */
export function readPromql(expression: string): Query {
  const selectors: { metric: string; matchers: Matcher[] }[] = [];
  const labels: string[] = [];
  parser.parse(expression).iterate({
    enter({ name, type, from, to, node }) {
      const text = expression.slice(from, to);
      if (type.isError) throw new Error(`not PromQL at ${from}: ${expression}`);
      if (name === 'VectorSelector') selectors.push({ metric: textOf('Identifier'), matchers: [] });
      if (name === 'UnquotedLabelMatcher') {
        selectors.at(-1)?.matchers.push({
          label: textOf('LabelName'),
          operator: textOf('MatchOp') as Matcher['operator'],
          value: JSON.parse(textOf('StringLiteral')),
        });
      }
      if (name === 'LabelName' && node.parent?.name === 'GroupingLabels') labels.push(text);

      function textOf(child: string): string {
        const found = node.getChild(child);
        return found ? expression.slice(found.from, found.to) : '';
      }
    },
  });
  return { selectors, labels };
}

/** Whether the selector matches a series with these labels. A missing label counts as empty. */
export function selects(
  { metric, matchers }: Selector,
  series: { readonly name: string; readonly labels: Readonly<Record<string, string>> },
): boolean {
  return (
    series.name === metric &&
    matchers.every(({ label, operator, value }) => {
      const actual = series.labels[label] ?? '';
      // Prometheus anchors its expressions at both ends.
      const isMet = operator.endsWith('~') ? new RegExp(`^(?:${value})$`).test(actual) : actual === value;
      return operator.startsWith('!') ? !isMet : isMet;
    })
  );
}
