import { describe, expect, it } from 'vitest';
import { fitText, textWidth } from '../../src/output/fitText.ts';
import { type Column, formatFacts, formatTable } from '../../src/output/table.ts';

const columns: Column[] = [
  { title: 'NAME', shrinkTo: 4 },
  { title: 'ID' },
  { title: 'PATH', shrinkTo: 6, cut: 'middle' },
  { title: 'SIZE', align: 'right' },
];
const rows = [
  ['localhost/application:1', '0123456789ab', '/var/lib/containers/storage', '1 B'],
  ['x', 'ba9876543210', '/', '23.4 MB'],
];

function widths(table: string): number[] {
  return table.trimEnd().split('\n').map(textWidth);
}

describe('formatTable', () => {
  it('aligns columns and leaves no blanks at the end of a line', () => {
    expect(
      formatTable(
        [{ title: 'A' }, { title: 'B', align: 'right' }, { title: 'C' }],
        [
          ['long', '1', ''],
          ['x', '222', 'c'],
        ],
      ),
    ).toBe(['A       B  C', 'long    1', 'x     222  c', ''].join('\n'));
  });

  it('prints everything when there is no terminal to fit into', () => {
    expect(formatTable(columns, rows)).toContain(
      'localhost/application:1  0123456789ab  /var/lib/containers/storage      1 B\n',
    );
  });

  it('cuts the widest column that may be cut first', () => {
    const [, line] = formatTable(columns, rows, 72).split('\n');
    expect(line).toBe('localhost/application:1  0123456789ab  /var/lib/con…ers/storage      1 B');
    const [, narrower] = formatTable(columns, rows, 50).split('\n');
    expect(narrower).toBe('localhost/a…  0123456789ab  /var/l…torage      1 B');
  });

  it.each([80, 79, 60, 40, 30, 20, 10, 3, 1])('fits %d columns', (width) => {
    expect(Math.max(...widths(formatTable(columns, rows, width)))).toBeLessThanOrEqual(width);
    expect(formatTable(columns, rows, width).split('\n')).toHaveLength(4);
  });

  it('measures what a terminal shows', () => {
    const table = formatTable(
      [{ title: 'N' }, { title: 'X' }],
      [
        ['日本', '1'],
        ['abcd', '2'],
        ['é', '3'],
      ],
    );
    expect(table).toBe('N     X\n日本  1\nabcd  2\né     3\n');
  });

  it('prints the title alone when there are no rows', () => {
    expect(formatTable(columns, [])).toBe('NAME  ID  PATH  SIZE\n');
  });

  it('keeps a name from steering the terminal or breaking the line', () => {
    expect(formatTable([{ title: 'N' }], [['a\u001b[2Jb\nc\u202e']])).toBe('N\na\\x1b[2Jb\\x0ac\\u202e\n');
  });
});

describe('fitText', () => {
  it('cuts at the end or in the middle, never inside a character', () => {
    expect(fitText('abcdefgh', 5)).toBe('abcd…');
    expect(fitText('/a/long/path/to', 8, 'middle')).toBe('/a/l…/to');
    expect(fitText('日本語です', 5)).toBe('日本…');
    expect(fitText('👨‍👩‍👧‍👦family', 3)).toBe('👨‍👩‍👧‍👦…');
    expect(fitText('abc', 3)).toBe('abc');
    expect(fitText('abc', 0)).toBe('');
  });
});

describe('formatFacts', () => {
  it('puts the values below each other and fits them', () => {
    expect(
      formatFacts([
        ['A', '1'],
        ['Long name', '/very/long'],
      ]),
    ).toBe('A:          1\nLong name:  /very/long\n');
    expect(formatFacts([['A', '/very/long']], 8)).toBe('A:  /ve…\n');
  });
});
