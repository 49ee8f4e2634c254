import { goQuote } from '../output/goQuote.ts';
import type { Flag } from './flag.ts';
import { FlagValues } from './flagValues.ts';

/** Thrown on words that are no flags of the command; the messages are for the user, in this order. */
export class FlagError extends Error {
  override readonly name = 'FlagError';
  readonly messages: readonly string[];
  /** Help was asked for among the letters of a group that is then found to be wrong. */
  readonly withHelp: boolean;

  constructor(messages: readonly string[], withHelp = false) {
    super(messages.at(-1));
    this.messages = messages;
    this.withHelp = withHelp;
  }
}

/** `--help`, `-help` or `-h` where none of these is a flag. */
export class HelpRequested extends Error {
  override readonly name = 'HelpRequested';
}

const TRUE = ['1', 't', 'T', 'true', 'TRUE', 'True'];
const FALSE = ['0', 'f', 'F', 'false', 'FALSE', 'False'];
const HELP = ['--help', '-help', '-h'];

export interface ParsedFlags {
  readonly values: FlagValues;
  /** The words from the first one on that is no flag. */
  readonly rest: readonly string[];
}

/**
 * Reads the flags at the beginning of `words`, by the rules of the Go command: a single dash with several
 * letters is a known flag or a group of one-letter flags; parsing ends at the first word that is no flag,
 * at a lone `-`, or behind `--`.
 *
 * @throws {FlagError}
 * @throws {HelpRequested}
 */
export function parseFlags(flags: readonly Flag[], words: readonly string[]): ParsedFlags {
  const parser = new FlagParser(flags, words);
  while (parser.parseNext());
  return { values: parser.values, rest: parser.rest };
}

class FlagParser {
  readonly values: FlagValues;
  rest: readonly string[];
  readonly #flags = new Map<string, Flag>();

  constructor(flags: readonly Flag[], words: readonly string[]) {
    this.values = new FlagValues(flags);
    this.rest = words;
    for (const flag of flags) for (const name of flag.names) this.#flags.set(name, flag);
  }

  /** Takes one flag with its value off the rest; false when there is none. */
  parseNext(): boolean {
    const [word = ''] = this.rest;
    if (!word.startsWith('-') || word === '-') return false;
    this.rest = this.rest.slice(1);
    if (word === '--') return false;
    if (word.startsWith('-=')) throw new FlagError([`bad flag syntax: ${word}`]);
    const { name, value } = splitWord(word);
    const flag = this.#flags.get(name);
    if (flag !== undefined) this.#take(flag, name, value);
    else if (HELP.includes(name)) throw new HelpRequested(name);
    else if (name.startsWith('--') || name.length <= 2) throw unknownFlag(name);
    else this.#takeGroup(name);
    return true;
  }

  /** Letters take what they need from the words that follow; a value after `=` is not given to any of them. */
  #takeGroup(group: string): void {
    for (const letter of group.slice(1)) {
      const name = `-${letter}`;
      const flag = this.#flags.get(name);
      try {
        if (flag !== undefined) this.#take(flag, name, undefined);
        else if (HELP.includes(name)) throw new FlagError([], true);
        else throw new FlagError([]);
      } catch (error) {
        if (!(error instanceof FlagError)) throw error;
        throw new FlagError([...error.messages, unknownFlag(group).message], error.withHelp);
      }
    }
  }

  #take(flag: Flag, name: string, value: string | undefined): void {
    if (flag.kind === 'boolean') {
      this.values.set(flag, value === undefined || parseBoolean(value, name));
      return;
    }
    if (value === undefined) {
      const [next] = this.rest;
      if (next === undefined) throw new FlagError([`flag needs an argument: ${name}`]);
      this.rest = this.rest.slice(1);
      this.values.set(flag, next);
    } else {
      this.values.set(flag, value);
    }
  }
}

function splitWord(word: string): { name: string; value?: string } {
  const equals = word.indexOf('=');
  if (equals === -1) return { name: word };
  return { name: word.slice(0, equals), value: trimQuotes(word.slice(equals + 1)) };
}

/** One pair of matching outer quotes is not part of a value. */
function trimQuotes(value: string): string {
  const [first] = value;
  const quoted = value.length > 1 && (first === '"' || first === "'") && value.endsWith(first);
  return quoted ? value.slice(1, -1) : value;
}

function parseBoolean(value: string, name: string): boolean {
  if (TRUE.includes(value)) return true;
  if (FALSE.includes(value)) return false;
  const quoted = goQuote(value);
  throw new FlagError([
    `invalid boolean value ${quoted} for  ${name}: strconv.ParseBool: parsing ${quoted}: invalid syntax`,
  ]);
}

function unknownFlag(name: string): FlagError {
  return new FlagError([`flag provided but not defined: ${name}`]);
}
