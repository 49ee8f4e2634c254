import { errnoCode, isStorageError, type StorageError, wrapSystemError } from '@sediment/core';
import type { CheckFinding, FindingFacts, FindingKind } from './checkReport.ts';

type ObjectKind = CheckFinding['object']['kind'];

/** An object that is being looked at. */
export interface Subject {
  readonly kind: ObjectKind;
  readonly id: string;
  readonly readOnly: boolean;
}

/** The words of containers/storage for what is wrong, put behind the object's name. */
export function finding(
  subject: Subject,
  kind: FindingKind,
  text: string,
  facts: FindingFacts = {},
): CheckFinding {
  const { kind: object, id, readOnly } = subject;
  return {
    kind,
    text: `${readOnly ? 'read-only ' : ''}${object} ${id}: ${text}`,
    object: { kind: object, id },
    facts,
  };
}

/** A finding about an error of the store's own. */
export function errorFinding(subject: Subject, kind: FindingKind, error: StorageError): CheckFinding {
  const { path, expected, actual } = error.facts;
  return finding(subject, kind, textOf(error, subject), {
    code: error.code,
    ...(path === undefined ? {} : { path }),
    ...(expected === undefined ? {} : { expected }),
    ...(actual === undefined ? {} : { actual }),
  });
}

/** The subject stands in front of the text already. */
function textOf({ message }: StorageError, { kind, id }: Subject): string {
  for (const prefix of [`${kind} "${id}" has lost a file: `, `${kind} ${id}: `]) {
    if (message.startsWith(prefix)) return message.slice(prefix.length);
  }
  return message;
}

/** Errors of the host, which say nothing about what was looked at. */
const HOST_ERRORS: ReadonlySet<string> = new Set([
  'EACCES',
  'EMFILE',
  'ENFILE',
  'ENODEV',
  'ENOMEM',
  'ENOSPC',
  'ENOSYS',
  'EPERM',
]);

/**
 * Tells damage from trouble of the host: an error that is not about the object ends the check, since a
 * repair would otherwise delete what is sound.
 *
 * @throws what is not damage
 */
export function damageOf(thrown: unknown): StorageError {
  const isSystemError = !isStorageError(thrown) && errnoCode(thrown) !== undefined;
  const error = isSystemError ? wrapSystemError(thrown, 'reading it') : thrown;
  if (!isStorageError(error) || error.code === 'ABORTED' || error.code === 'STORE_CLOSED') throw error;
  if (HOST_ERRORS.has(error.facts.errnoCode ?? '')) throw error;
  return error;
}
