/**
 * Renders a Markdown table with aligned columns. A heading that ends in ":" makes a column
 * right-aligned, for numbers.
 * @param rows each with one cell per heading.
 */
export function markdownTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const isNumber = headings.map((heading) => heading.endsWith(':'));
  const cells = [headings.map((heading) => heading.replace(/:$/, '')), ...rows];
  const widths = headings.map((_, column) => Math.max(3, ...cells.map((row) => row[column]?.length ?? 0)));
  const pad = (text: string, column: number) =>
    isNumber[column] ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0);
  const line = (row: readonly string[]) => `| ${row.map(pad).join(' | ')} |`;
  const rule = widths.map((width, column) => '-'.repeat(width + 1) + (isNumber[column] ? ':' : '-'));
  const [head = [], ...body] = cells;
  return [line(head), `|${rule.join('|')}|`, ...body.map(line)].join('\n');
}
