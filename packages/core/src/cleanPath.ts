const SLASH = 0x2f;
const DOT = 0x2e;

/**
 * The shortest equal path, as Go's `path.Clean` makes it, on bytes: repeated slashes and `.` vanish,
 * `..` takes its parent with it, a rooted path cannot leave its root, an empty result is `.`.
 * May return `name` itself when it is clean already.
 */
export function cleanPath(name: Buffer): Buffer {
  if (isClean(name)) return name;
  const almost = withoutMarks(name);
  if (isClean(almost)) return almost;
  const rooted = name[0] === SLASH;
  const parts: Buffer[] = [];
  for (let start = 0; start <= name.length; ) {
    const slash = name.indexOf(SLASH, start);
    const end = slash < 0 ? name.length : slash;
    addPart(parts, name.subarray(start, end), rooted);
    start = end + 1;
  }
  return join(parts, rooted);
}

function addPart(parts: Buffer[], part: Buffer, rooted: boolean): void {
  if (part.length === 0 || isDot(part)) return;
  if (!isDotDot(part)) {
    parts.push(part);
    return;
  }
  const last = parts.at(-1);
  if (last !== undefined && !isDotDot(last)) parts.pop();
  else if (!rooted) parts.push(part);
}

function join(parts: readonly Buffer[], rooted: boolean): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length + 1, 0);
  if (parts.length === 0) return Buffer.from(rooted ? '/' : '.');
  const out = Buffer.alloc(rooted ? length : length - 1, SLASH);
  let at = rooted ? 1 : 0;
  for (const part of parts) {
    part.copy(out, at);
    at += part.length + 1;
  }
  return out;
}

/** Without `./` in front and a slash at the end, the marks that tools write; empty when that is all. */
function withoutMarks(name: Buffer): Buffer {
  const start = name[0] === DOT && name[1] === SLASH && name[2] !== SLASH ? 2 : 0;
  const end = name.length > start && name[name.length - 1] === SLASH ? name.length - 1 : name.length;
  return name.subarray(start, end);
}

/** Most names of a layer are clean; this keeps them from being taken apart. */
function isClean(name: Buffer): boolean {
  if (name.length === 0) return false;
  let previous = SLASH;
  for (let i = name[0] === SLASH && name.length > 1 ? 1 : 0; i < name.length; i++) {
    const byte = name[i] as number;
    if (previous === SLASH && (byte === SLASH || byte === DOT)) return name.length === 1;
    previous = byte;
  }
  return previous !== SLASH;
}

function isDot(part: Buffer): boolean {
  return part.length === 1 && part[0] === DOT;
}

function isDotDot(part: Buffer): boolean {
  return part.length === 2 && part[0] === DOT && part[1] === DOT;
}
