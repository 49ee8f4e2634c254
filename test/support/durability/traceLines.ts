/** One call of the kernel, as strace tells of it. */
export interface TracedCall {
  readonly thread: string;
  readonly name: string;
  /** As they are printed, such as `3</tmp/file>`, `"name"`, `O_WRONLY|O_CREAT`. */
  readonly args: readonly string[];
  /** What follows `=`, such as `0` or `4</tmp/file>`. */
  readonly result: string;
  /** Numbers of the lines at which it began and ended: calls of several threads overlap. */
  readonly start: number;
  readonly end: number;
}

interface Unfinished {
  readonly text: string;
  readonly start: number;
}

/**
 * Reads what `strace -f -o` wrote. A call that was interrupted by the lines of other threads is put together
 * again; calls that failed, that never ended, and all that is no call are left out.
 */
export function parseTrace(text: string): TracedCall[] {
  const unfinished = new Map<string, Unfinished>();
  const calls: TracedCall[] = [];
  for (const [number, line] of text.split('\n').entries()) {
    const [, thread, said] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    if (thread === undefined || said === undefined) continue;
    const broken = /^(.*) <unfinished \.\.\.>$/.exec(said)?.[1];
    if (broken !== undefined) {
      unfinished.set(thread, { text: broken, start: number });
      continue;
    }
    const rest = /^<\.\.\. \w+ resumed>(.*)$/.exec(said)?.[1];
    const begun = rest === undefined ? undefined : unfinished.get(thread);
    if (rest !== undefined && begun === undefined) continue;
    const whole = { text: `${begun?.text ?? ''}${rest ?? said}`, start: begun?.start ?? number };
    const call = parseCall(whole.text);
    if (call !== undefined) calls.push({ ...call, thread, start: whole.start, end: number });
  }
  return calls;
}

function parseCall(text: string): Pick<TracedCall, 'name' | 'args' | 'result'> | undefined {
  const name = /^(\w+)\(/.exec(text)?.[1];
  if (name === undefined) return undefined;
  const { args, end } = splitArguments(text, name.length + 1);
  const result = /^\s*= (.*)$/.exec(text.slice(end))?.[1];
  if (result === undefined || result.startsWith('-1 ') || result.startsWith('?')) return undefined;
  return { name, args, result };
}

/** Commas inside of texts, braces and paths divide nothing. */
function splitArguments(text: string, from: number): { args: string[]; end: number } {
  const args: string[] = [];
  let depth = 0;
  let start = from;
  for (let i = from; i < text.length; i++) {
    const character = text[i] as string;
    if (character === '"') i = endOfText(text, i);
    else if (character === '<' && isPath(text, i)) i = endOfPath(text, i);
    else if ('([{'.includes(character)) depth++;
    else if (depth > 0 && ')]}'.includes(character)) depth--;
    else if (depth === 0 && (character === ',' || character === ')')) {
      const arg = text.slice(start, i).trim();
      if (arg !== '') args.push(arg);
      start = i + 1;
      if (character === ')') return { args, end: i + 1 };
    }
  }
  return { args, end: text.length };
}

function endOfText(text: string, quote: number): number {
  for (let i = quote + 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '"') return i;
  }
  return text.length;
}

/** After a number or `AT_FDCWD`; strace writes `>` in a path as an octal number. */
function isPath(text: string, bracket: number): boolean {
  return /[\dD]/.test(text[bracket - 1] ?? '');
}

function endOfPath(text: string, bracket: number): number {
  const end = text.indexOf('>', bracket);
  return end === -1 ? text.length : end;
}

/** The path of a descriptor, such as `/tmp/file` of `3</tmp/file>`; undefined of pipes and of files that are gone. */
export function pathOfDescriptor(arg: string | undefined): string | undefined {
  const [, path, deleted] = /^\w+<(\/.*)>(\(deleted\))?$/.exec(arg ?? '') ?? [];
  return path === undefined || deleted !== undefined ? undefined : unescapeText(path);
}

/** The text of an argument in quotes, as latin-1. */
export function textOf(arg: string | undefined): string | undefined {
  const text = /^"(.*)"(\.\.\.)?$/s.exec(arg ?? '')?.[1];
  return text === undefined ? undefined : unescapeText(text);
}

const ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r', v: '\v', f: '\f', '"': '"', '\\': '\\' };

function unescapeText(text: string): string {
  return text.replace(/\\([0-7]{1,3}|x[0-9a-f]{2}|.)/g, (_, code: string) => {
    if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8));
    if (/^x./.test(code)) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    return ESCAPES[code] ?? code;
  });
}
