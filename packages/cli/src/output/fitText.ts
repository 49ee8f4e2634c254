import stringWidth from 'string-width';

/** Where a text that is too long loses characters: names at their end, paths in their middle. */
export type Cut = 'end' | 'middle';

const ELLIPSIS = '…';
/** What may take another number of columns than one. */
const UNUSUAL = /[^\x20-\x7e]/;

/** Columns that a text takes on a terminal. */
export function textWidth(text: string): number {
  return UNUSUAL.test(text) ? stringWidth(text) : text.length;
}

/** The text, or as much of it as fits into `width` columns together with an ellipsis. */
export function fitText(text: string, width: number, cut: Cut = 'end'): string {
  if (textWidth(text) <= width) return text;
  if (width <= 1) return ELLIPSIS.slice(0, width);
  const room = width - 1;
  const tailRoom = cut === 'middle' ? Math.floor(room / 2) : 0;
  const characters = [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment);
  const head = take(characters, room - tailRoom);
  const tail = take(characters.toReversed(), tailRoom).toReversed();
  return [...head, ELLIPSIS, ...tail].join('');
}

/** As many of the first characters as fit into `width` columns. */
function take(characters: readonly string[], width: number): string[] {
  const taken: string[] = [];
  let used = 0;
  for (const character of characters) {
    used += textWidth(character);
    if (used > width) break;
    taken.push(character);
  }
  return taken;
}
