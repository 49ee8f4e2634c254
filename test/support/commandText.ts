import type { StoreRoot } from './storeRoot.ts';

/** 64 hexadecimal digits that are no part of a digest. */
const ID = /(?<![0-9a-f:])[0-9a-f]{64}(?![0-9a-f])/g;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g;
const LINK = /(?<![A-Z2-7])[A-Z2-7]{26}(?![A-Z2-7])/g;

/**
 * What a program writes about one store, in a form in which two programs on two stores can be compared:
 * generated ids are numbered in the order in which they appear, times and link names are blanked, and
 * paths are given from `{GRAPH}`, `{RUN}` and `{DIR}`, the store's roots and the directory around them.
 */
export class CommandText {
  readonly #places: ReadonlyArray<readonly [placeholder: string, path: string]>;
  readonly #ids: string[] = [];
  readonly #given = new Set<string>();

  /** @param program the path by which the program is called, shown as `{PROGRAM}` */
  constructor({ graphRoot, runRoot, path }: StoreRoot, program: string) {
    this.#places = [
      ['{PROGRAM}', program],
      ['{GRAPH}', graphRoot],
      ['{RUN}', runRoot],
      ['{DIR}', path],
    ];
  }

  /** Fills the placeholders in, `{ID1}` with the first generated id and so on. Ids in the text are not generated ones. */
  fill(text: string): string {
    for (const id of text.match(ID) ?? []) this.#given.add(id);
    const withPaths = this.#places.reduce(
      (filled, [placeholder, path]) => filled.replaceAll(placeholder, path),
      text,
    );
    return withPaths.replace(/\{ID(\d+)(?::(\d+))?\}/g, (placeholder, number: string, length?: string) => {
      const id = this.#ids[Number(number) - 1];
      if (id === undefined) throw new Error(`${placeholder}: only ${this.#ids.length} ids were generated`);
      return id.slice(0, length === undefined ? undefined : Number(length));
    });
  }

  /** The text with placeholders for what differs between two stores. */
  generalise(text: string): string {
    return this.#places
      .reduce((general, [placeholder, path]) => general.replaceAll(path, placeholder), text)
      .replace(ID, (id) => (this.#given.has(id) ? id : this.#placeholderOf(id)))
      .replace(TIME, '{TIME}')
      .replace(LINK, '{LINK}');
  }

  #placeholderOf(id: string): string {
    if (!this.#ids.includes(id)) this.#ids.push(id);
    return `{ID${this.#ids.indexOf(id) + 1}}`;
  }
}
