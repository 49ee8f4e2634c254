import { type Cut, fitText, textWidth } from './fitText.ts';
import { printable } from './text.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'right';
  /** Width down to which the column may be cut when the table is too wide; it keeps its width if absent. */
  readonly shrinkTo?: number;
  readonly cut?: Cut;
}

const GAP = '  ';

/**
 * Lays rows out in columns, each line ended by a line break. No line is wider than `width`: columns
 * that may be cut are, widest first, and in the end the line is.
 *
 * @param width columns of the terminal; without it every cell is printed in full
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width?: number,
): string {
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => row.map(printable))];
  const natural = columns.map((_, column) =>
    cells.reduce((widest, row) => Math.max(widest, textWidth(row[column])), 0),
  );
  if (width === undefined) return layOut(columns, natural, cells);
  const widths = shrink(columns, natural, width);
  const fitted = cells.map((row) =>
    row.map((text, column) => fitText(text, widths[column], columns[column].cut)),
  );
  const lines = layOut(columns, widths, fitted).split('\n').slice(0, -1);
  return lines.map((line) => `${fitText(line, width)}\n`).join('');
}

function shrink(columns: readonly Column[], natural: readonly number[], available: number): number[] {
  const widths = [...natural];
  let excess = widths.reduce((sum, each) => sum + each, GAP.length * (columns.length - 1)) - available;
  while (excess > 0) {
    const widest = widestShrinkable(columns, widths);
    if (widest === undefined) break;
    widths[widest] -= 1;
    excess -= 1;
  }
  return widths;
}

function widestShrinkable(columns: readonly Column[], widths: readonly number[]): number | undefined {
  let widest: number | undefined;
  for (const [index, { shrinkTo }] of columns.entries()) {
    if (shrinkTo === undefined || widths[index] <= shrinkTo) continue;
    if (widest === undefined || widths[index] > widths[widest]) widest = index;
  }
  return widest;
}

/** Each row on a line; every cell has the width of its column at most. */
function layOut(
  columns: readonly Column[],
  widths: readonly number[],
  rows: readonly (readonly string[])[],
): string {
  const last = columns.length - 1;
  const lines = rows.map((row) => {
    let line = '';
    for (let column = 0; column <= last; column++) {
      const text = row[column];
      const padding = ' '.repeat(widths[column] - textWidth(text));
      line += columns[column].align === 'right' ? padding + text : text + padding;
      if (column < last) line += GAP;
    }
    return `${line.trimEnd()}\n`;
  });
  return lines.join('');
}

/** Lines of `label: value`, the values below each other. */
export function formatFacts(
  facts: readonly (readonly [label: string, value: string])[],
  width?: number,
): string {
  const labelWidth = Math.max(...facts.map(([label]) => textWidth(label)));
  return facts
    .map(([label, value]) => {
      const line = `${label}:${' '.repeat(labelWidth - textWidth(label))}  ${printable(value)}`;
      return `${width === undefined ? line : fitText(line, width)}\n`;
    })
    .join('');
}
