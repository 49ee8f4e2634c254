import { isStorageError } from '@sediment/core';
import { fileChunks } from '../items/fileChunks.ts';
import type { CheckFinding, FindingKind } from './checkReport.ts';
import { damageOf, errorFinding, finding, type Subject } from './findings.ts';

export interface ItemCheck {
  readonly subject: Subject;
  readonly names: readonly string[];
  /** Where the item of that name lies. */
  readonly pathOf: (name: string) => string;
  /** Recorded size in bytes, if there is one. */
  readonly sizeOf?: (name: string) => number | undefined;
}

/** Reads all big data items of an object. There are digests, too, but who knows of what: they are keys. */
export function checkItems({ subject, names, pathOf, sizeOf }: ItemCheck): CheckFinding[] {
  return names.flatMap((name) => {
    const path = pathOf(name);
    const what = `data item ${JSON.stringify(name)}: ${subject.kind} data item`;
    try {
      const actual = readWhole(path);
      if (actual === undefined) {
        return [finding(subject, kindOf(subject, 'missing'), `${what} is missing`, { item: name, path })];
      }
      const expected = sizeOf?.(name);
      if (expected === undefined || expected === actual) return [];
      const facts = { item: name, path, expected, actual };
      return [finding(subject, kindOf(subject, 'size'), `${what} has incorrect size`, facts)];
    } catch (error) {
      const damage = damageOf(error);
      return [errorFinding(subject, kindOf(subject, 'unreadable'), damage)];
    }
  });
}

function kindOf({ kind }: Subject, fault: 'missing' | 'size' | 'unreadable'): FindingKind {
  return `${kind}-data-${fault}` as FindingKind;
}

/** The size in bytes, all of which could be read; undefined when there is no such file. */
function readWhole(path: string): number | undefined {
  let size = 0;
  try {
    for (const chunk of fileChunks(path)) size += chunk.length;
    return size;
  } catch (error) {
    if (isStorageError(error) && error.facts.errnoCode === 'ENOENT') return undefined;
    throw error;
  }
}
