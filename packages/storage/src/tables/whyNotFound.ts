import type { NamedRecord, TableView } from './recordTable.ts';

const SHOWN = 3;
const SHOWN_LENGTH = 16;

/**
 * What to say of a text that finds no record: an id prefix that fits several is ambiguous, which is more
 * than unknown.
 *
 * @param hint for a text that fits nothing
 */
export function whyNotFound<R extends NamedRecord>(
  view: TableView<R>,
  text: string,
  hint: string,
): { readonly reason: string; readonly hint: string } {
  const ids = view.idsWithPrefix(text);
  if (ids.length < 2) return { reason: '', hint };
  const shown = ids.slice(0, SHOWN).map((id) => id.slice(0, SHOWN_LENGTH));
  const more = ids.length > SHOWN ? ', …' : '';
  return { reason: ` (the id is ambiguous: ${shown.join(', ')}${more})`, hint: 'give more digits of the id' };
}
