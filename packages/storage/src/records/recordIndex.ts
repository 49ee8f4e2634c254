interface Indexed {
  readonly id: string;
  readonly names: readonly string[];
}

/** A unique id, a prefix of several ids, or nothing. */
export type PrefixMatch<T> = { readonly record: T } | { readonly ambiguous: readonly string[] } | undefined;

/**
 * Finds the records of one store by what a person types. Built once from a list and never changed;
 * of two records with one id the first counts, of two with one name the last.
 *
 * Order of look-up as upstream: exact id, exact name, exact alias, unique prefix of an id. Ids that
 * are empty or have a space are not found by prefix.
 */
export class RecordIndex<T extends Indexed> {
  readonly #byId = new Map<string, T>();
  readonly #byName = new Map<string, T>();
  readonly #byAlias = new Map<string, T>();
  #sortedIds: string[] | undefined;

  /** @param aliasOf a further exact key, such as the layer id of a container */
  constructor(records: Iterable<T>, aliasOf: (record: T) => string | undefined = () => undefined) {
    for (const record of records) {
      if (this.#byId.has(record.id)) continue;
      this.#byId.set(record.id, record);
      for (const name of record.names) this.#byName.set(name, record);
      const alias = aliasOf(record);
      if (alias !== undefined && alias !== '') this.#byAlias.set(alias, record);
    }
  }

  /** The record of an id, name, alias or unique id prefix; an ambiguous prefix finds nothing. */
  find(text: string): T | undefined {
    const exact = this.#byId.get(text) ?? this.#byName.get(text) ?? this.#byAlias.get(text);
    if (exact !== undefined) return exact;
    const match = this.matchPrefix(text);
    return match !== undefined && 'record' in match ? match.record : undefined;
  }

  byId(id: string): T | undefined {
    return this.#byId.get(id);
  }

  byName(name: string): T | undefined {
    return this.#byName.get(name);
  }

  /** What an id prefix stands for; tells an ambiguous prefix from an unknown one for messages. */
  matchPrefix(prefix: string): PrefixMatch<T> {
    if (prefix === '') return undefined;
    this.#sortedIds ??= [...this.#byId.keys()].filter((id) => !id.includes(' ')).sort();
    const from = lowerBound(this.#sortedIds, prefix);
    const ids: string[] = [];
    for (const id of this.#sortedIds.slice(from, from + 10)) if (id.startsWith(prefix)) ids.push(id);
    if (ids.length > 1) return { ambiguous: ids };
    return ids[0] === undefined ? undefined : { record: this.#byId.get(ids[0]) as T };
  }
}

/** Index of the first element that is not before `key`. */
function lowerBound(sorted: readonly string[], key: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
