import { describeErrorCode, type ErrorCode, isStorageError, type StorageError } from '@sediment/core';
import { goQuote } from '../output/goQuote.ts';
import { CommandError } from './commandError.ts';
import { LAYER_TEXTS } from './layerTexts.ts';
import { errnoWords, systemErrorText } from './systemErrorText.ts';

/** Texts of the Go command that depend on the facts of an error. */
type TextOf = (error: StorageError) => string;

/** Errors for which the Go command says no more than what the code stands for. */
const BARE: readonly ErrorCode[] = [
  'LAYER_UNKNOWN',
  'CONTAINER_UNKNOWN',
  'NOT_AN_ID',
  'PARENT_UNKNOWN',
  'LAYER_NOT_MOUNTED',
  'PARENT_IS_CONTAINER',
  'SIZE_UNKNOWN',
  'DIGEST_UNKNOWN',
];

const TEXTS: Partial<Record<ErrorCode, TextOf>> = {
  ...LAYER_TEXTS,
  IMAGE_UNKNOWN: ({ code, facts }) =>
    `locating image with ID ${goQuote(facts.object ?? '')}: ${describeErrorCode(code)}`,
  CONFIG_NOT_FOUND: ({ facts }) => `stat ${facts.path}: ${errnoWords('ENOENT')}`,
};

/** A failure in the words of the Go command, without a line end. */
export function errorText(error: unknown): string {
  if (error instanceof CommandError) return error.message;
  if (isStorageError(error)) return storageErrorText(error);
  const system = systemErrorText(error);
  if (system !== undefined) return system;
  // anything else is a defect of this program: whoever reports it needs the place
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function storageErrorText(error: StorageError): string {
  const { code, facts, message } = error;
  if (BARE.includes(code)) return describeErrorCode(code);
  const text = TEXTS[code]?.(error);
  if (text !== undefined) return text;
  const { errnoCode, syscall, path } = facts;
  if (errnoCode === undefined || syscall === undefined) return message;
  return `${syscall}${path === undefined ? '' : ` ${path}`}: ${errnoWords(errnoCode)}`;
}
