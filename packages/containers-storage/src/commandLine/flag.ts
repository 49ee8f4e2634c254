/** `boolean` flags never take the next word; a `list` flag may be repeated, and commas do not split it. */
export type FlagKind = 'boolean' | 'string' | 'list';

export interface Flag {
  /** All spellings with their dashes, in the order in which help shows them: `--json`, `-j`. */
  readonly names: readonly [`--${string}`, ...string[]];
  readonly kind: FlagKind;
  readonly description: string;
  /** The value before any argument was read; `false`, `''` or `[]` if absent. */
  readonly initial?: FlagValue;
}

export type FlagValue = boolean | string | readonly string[];

export const JSON_FLAG: Flag = {
  names: ['--json', '-j'],
  kind: 'boolean',
  description: 'Prefer JSON output',
};

/** `--name/-n`, for commands that name things. */
export function nameFlag(description: string): Flag {
  return { names: ['--name', '-n'], kind: 'list', description };
}

export function stringFlag(names: Flag['names'], description: string, initial = ''): Flag {
  return { names, kind: 'string', description, initial };
}

export function booleanFlag(names: Flag['names'], description: string): Flag {
  return { names, kind: 'boolean', description };
}

export function initialValue({ kind, initial }: Flag): FlagValue {
  return initial ?? (kind === 'boolean' ? false : kind === 'list' ? [] : '');
}
