/** A string, white space, a bracket or separator, or a number or word. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[ \t\r\n]+|[{}[\],:]|[^"{}[\],:\s]+/gs;

/**
 * The members of a JSON object as texts: each value as it stands in the document, without white space.
 * (Reading and writing it anew could change numbers and the order of keys.) Of two members with one name
 * the last counts, as in Go.
 *
 * @param text valid JSON of an object, one character per byte (latin1)
 */
export function rawMembers(text: string): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  let depth = 0;
  let key: string | undefined;
  let value = '';
  for (const [token] of text.matchAll(TOKEN)) {
    if (/^\s/.test(token)) continue;
    if (token === '}' || token === ']') depth--;
    const isBetween = depth === 0 || (depth === 1 && token === ',');
    if (isBetween) {
      if (key !== undefined) members.set(key, value);
      key = undefined;
      value = '';
    } else if (depth === 1 && token === ':' && key === undefined) {
      key = JSON.parse(Buffer.from(value, 'latin1').toString()) as string;
      value = '';
    } else {
      value += token;
    }
    if (token === '{' || token === '[') depth++;
  }
  return members;
}
