import { type Cut, fitText, textWidth } from './fitText.ts';
import { printable } from './text.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'right';
  /** Width down to which the column may be cut when the table is too wide; it keeps its width if absent. */
  readonly shrinkTo?: number;
  readonly cut?: Cut;
}

const GAP = 2;

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
  const natural = columns.map((_, index) => Math.max(...cells.map((row) => textWidth(row[index]))));
  const widths = width === undefined ? natural : shrink(columns, natural, width);
  const lines = cells.map((row) => formatLine(columns, widths, row));
  return lines.map((line) => `${width === undefined ? line : fitText(line, width)}\n`).join('');
}

function shrink(columns: readonly Column[], natural: readonly number[], available: number): number[] {
  const widths = [...natural];
  let excess = widths.reduce((sum, each) => sum + each, GAP * (columns.length - 1)) - available;
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

function formatLine(columns: readonly Column[], widths: readonly number[], row: readonly string[]): string {
  const cells = columns.map(({ align, cut }, index) => {
    const text = fitText(row[index], widths[index], cut);
    const padding = ' '.repeat(widths[index] - textWidth(text));
    return align === 'right' ? padding + text : text + padding;
  });
  return cells.join(' '.repeat(GAP)).trimEnd();
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
