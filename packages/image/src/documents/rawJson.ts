const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;
const ESCAPED = /[<>&\u2028\u2029]/g;

/**
 * The members of a JSON object with their values as text: compact, with the escapes that Go's `encoding/json` puts
 * into raw messages, and otherwise untouched. Numbers keep their spelling, objects their order and doubled keys.
 * The last of several members of one name counts, as in Go.
 *
 * @param text a valid JSON text of an object
 */
export function rawMembers(text: string): Map<string, string> {
  const members = new Map<string, string>();
  let depth = 0;
  let key: string | undefined;
  let value = '';
  const finish = () => {
    if (key !== undefined) members.set(key, value);
    key = undefined;
    value = '';
  };
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '}' || token === ']') depth -= 1;
    const isOutside = depth === 0 || (depth === 1 && (token === ',' || (token === ':' && value === '')));
    if (depth === 0 || (depth === 1 && token === ',')) finish();
    else if (!isOutside && key === undefined) key = JSON.parse(token) as string;
    else if (!isOutside) value += escapeRaw(token);
    if (token === '{' || token === '[') depth += 1;
  }
  return members;
}

/** A JSON object of raw members as Go writes a map: sorted by the bytes of its keys. */
export function rawObject(members: ReadonlyMap<string, string>): string {
  const sorted = [...members].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return `{${sorted.map(([key, value]) => `${escapeRaw(JSON.stringify(key))}:${value}`).join(',')}}`;
}

function escapeRaw(token: string): string {
  return token.replace(ESCAPED, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
