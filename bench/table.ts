/** One line of the result: what was measured, beside what was measured in the same run to compare it with. */
export interface Figure {
  name: string;
  unit: string;
  value: number;
  /** What the value is held against; undefined where the goal is absolute. */
  baseline: number | undefined;
  /** `ratio`: of value to baseline, at least this · `ratioMost`: at most this · `most`: of the value itself. */
  goal: { kind: 'ratio' | 'ratioMost' | 'most'; limit: number };
  /** Of the Formwire process, in MiB, while this was measured; undefined where the system does not tell. */
  peakRssMib: number | undefined;
  /** What both numbers are, in a sentence or two. */
  note: string;
}

export function isMet({ value, baseline = value, goal }: Figure): boolean {
  if (goal.kind === 'most') return value <= goal.limit;
  return goal.kind === 'ratio' ? value / baseline >= goal.limit : value / baseline <= goal.limit;
}

const columns = ['figure', 'value', 'baseline', 'ratio', 'goal', 'met', 'peak RSS'];

/** The figures as a table for people, with the notes below it. */
export function renderTable(figures: readonly Figure[]): string {
  const rows = [columns, ...figures.map(cells)];
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  '));
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  const notes = [...new Set(figures.map((figure) => figure.note))];
  return [lines[0], rule, ...lines.slice(1), '', ...notes].join('\n');
}

function cells(figure: Figure): string[] {
  const { name, unit, value, baseline, goal, peakRssMib } = figure;
  return [
    name,
    `${number(value)} ${unit}`,
    baseline === undefined ? '–' : `${number(baseline)} ${unit}`,
    baseline === undefined || goal.kind === 'most' ? '–' : (value / baseline).toFixed(2),
    { most: `≤ ${goal.limit} ${unit}`, ratio: `≥ ${goal.limit}`, ratioMost: `≤ ${goal.limit}` }[goal.kind],
    isMet(figure) ? 'yes' : 'no',
    peakRssMib === undefined ? '–' : `${Math.round(peakRssMib)} MiB`,
  ];
}

const number = (value: number): string => (value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(1));
