import { type Flag, type FlagValue, initialValue } from './flag.ts';

/** Values of a set of flags, by the first (long) name of each. */
export class FlagValues {
  readonly #values = new Map<string, FlagValue>();

  constructor(flags: readonly Flag[]) {
    for (const flag of flags) this.#values.set(flag.names[0], initialValue(flag));
  }

  set(flag: Flag, value: boolean | string): void {
    const [name] = flag.names;
    this.#values.set(name, flag.kind === 'list' ? [...this.list(name), String(value)] : value);
  }

  boolean(name: `--${string}`): boolean {
    return this.#get(name) === true;
  }

  string(name: `--${string}`): string {
    return String(this.#get(name));
  }

  list(name: `--${string}`): readonly string[] {
    const value = this.#get(name);
    if (!Array.isArray(value)) throw new TypeError(`flag ${name} is no list`);
    return value;
  }

  /** @throws {TypeError} for a flag that the command does not have */
  #get(name: string): FlagValue {
    const value = this.#values.get(name);
    if (value === undefined) throw new TypeError(`no flag ${name}`);
    return value;
  }
}
