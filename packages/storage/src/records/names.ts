/** Lists of names as the store keeps them: every name once, the first occurrence counts. */
export function uniqueNames(names: readonly string[]): string[] {
  return [...new Set(names)];
}

/** `names` with `added` in front, as upstream's AddNames orders them. */
export function withAddedNames(names: readonly string[], added: readonly string[]): string[] {
  return uniqueNames([...added, ...names]);
}

export function withoutNames(names: readonly string[], removed: readonly string[]): string[] {
  return uniqueNames(names).filter((name) => !removed.includes(name));
}

/** A names history after `names` were set one after the other: the latest is first. */
export function withNamesInHistory(history: readonly string[], names: readonly string[]): string[] {
  return uniqueNames([...names.toReversed(), ...history]);
}

interface Named {
  readonly id: string;
  readonly names: readonly string[];
}

/** A name that two records had: `loser` stood earlier in the file and lost it. */
export interface SettledName {
  readonly name: string;
  readonly loser: string;
  readonly winner: string;
}

/**
 * Records in which no name occurs twice, made like upstream does at load: the record read last keeps
 * it. Records without a change are returned as they are.
 */
export function settleDuplicateNames<T extends Named>(
  records: readonly T[],
): { readonly records: T[]; readonly settled: SettledName[] } {
  const owners = new Map<string, string>();
  for (const { id, names } of records) {
    // Most layers have no name, and there may be ten thousand.
    if (names.length > 0) for (const name of names) owners.set(name, id);
  }
  if (owners.size === 0) return { records: [...records], settled: [] };
  const settled: SettledName[] = [];
  const kept = records.map((record) => {
    if (record.names.length === 0) return record;
    const lost = record.names.filter((name) => owners.get(name) !== record.id);
    if (lost.length === 0) return record;
    for (const name of lost) settled.push({ name, loser: record.id, winner: owners.get(name) as string });
    return { ...record, names: withoutNames(record.names, lost) };
  });
  return { records: kept, settled };
}
