import type { MessagePort } from 'node:worker_threads';
import { StorageError, type StorageErrorJson } from '@sediment/core';
import type { UnpackJob, UnpackResult } from './unpackJob.ts';

/** What a pool sends to its worker: one job, and no further one before the answer. */
export interface RunMessage {
  readonly job: UnpackJob;
  /** Holds one Int32; not 0 asks the job to stop. */
  readonly stopFlag: SharedArrayBuffer;
  /** With another thread: the memory of both, and which half of the job this one does. */
  readonly split?: { readonly memory: SharedArrayBuffer; readonly half: 'produce' | 'consume' };
  /** Where the bytes of the layer come from when the job has no blob; see {@link ChunkMessage}. */
  readonly input?: MessagePort;
}

/**
 * What goes to the worker through {@link RunMessage.input}. The worker answers with the number of bytes
 * that it has used up.
 */
export type ChunkMessage =
  | { readonly type: 'chunk'; readonly bytes: Uint8Array }
  | { readonly type: 'end' }
  /** There will be no more, and what came is not all. */
  | { readonly type: 'broken' };

/** What a worker answers: any number of times progress, then one of the others. */
export type WorkerMessage =
  | { readonly type: 'progress'; readonly bytesRead: number }
  | { readonly type: 'done'; readonly result: UnpackResult }
  /** The producing half is done, whatever became of the job. */
  | { readonly type: 'produced' }
  | { readonly type: 'failed'; readonly error: SentError };

/** An error on its way between threads, where classes get lost. */
export interface SentError {
  readonly storage?: StorageErrorJson;
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly cause?: SentError;
}

const MAX_CAUSES = 8;

/** The form of an error that can be sent. */
export function sendError(error: unknown, depth = 0): SentError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const { name, message, stack, cause } = error;
  return {
    name,
    message,
    ...(error instanceof StorageError ? { storage: error.toJSON() } : {}),
    ...(stack === undefined ? {} : { stack }),
    ...(cause === undefined || depth >= MAX_CAUSES ? {} : { cause: sendError(cause, depth + 1) }),
  };
}

/** The error again: a {@link StorageError} if it was one, else an `Error` of the same name, text and stack. */
export function receiveError(sent: SentError): Error {
  const cause = sent.cause === undefined ? undefined : receiveError(sent.cause);
  if (sent.storage !== undefined) return StorageError.fromJSON(sent.storage, cause);
  const error = new Error(sent.message, cause === undefined ? undefined : { cause });
  error.name = sent.name;
  if (sent.stack !== undefined) error.stack = sent.stack;
  return error;
}
