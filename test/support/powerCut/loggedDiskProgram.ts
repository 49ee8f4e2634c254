import { spawnSync } from 'node:child_process';
import { fstatSync, openSync, readSync, writeSync, writevSync } from 'node:fs';
import { constants } from 'node:os';
import {
  attributesBody,
  entryBody,
  FILE_NODE,
  type FuseRequest,
  fileSystemBody,
  initialiseBody,
  MAX_WRITE,
  OPCODE,
  openBody,
  parseRequest,
  parseTransfer,
  replyTo,
  writtenBody,
} from './fuseMessages.ts';
import { flushRecord, writeRecordHeader } from './writeLog.ts';

/**
 * A file system of one file, `disk`, which notes every write and every flush of it in the order in which they
 * end. A loop device on that file is a disk whose history is known: loop asks for the file to be synced when
 * the file system on it asks for the cache of the disk to be flushed.
 *
 * Arguments: where to mount, the image that holds the bytes, the log. It says `ready` and ends when it is
 * unmounted.
 */
function serve(mountPoint: string, imagePath: string, logPath: string): void {
  const fuse = openSync('/dev/fuse', 'r+');
  mountFuse(fuse, mountPoint);
  const image = openSync(imagePath, 'r+');
  const log = openSync(logPath, 'ax');
  process.stdout.write('ready\n');
  const answer = answersOf(image, log);
  const message = Buffer.alloc(MAX_WRITE + 4096);
  for (;;) {
    const length = nextRequest(fuse, message);
    if (length === undefined) return;
    const request = parseRequest(message.subarray(0, length));
    const reply = answer(request);
    if (reply !== undefined) writeSync(fuse, reply);
  }
}

function mountFuse(fuse: number, mountPoint: string): void {
  // mount(8) is given the descriptor as its number 3
  const options = 'fd=3,rootmode=40000,user_id=0,group_id=0';
  const { status, stderr } = spawnSync(
    'mount',
    ['--internal-only', '-t', 'fuse', '-o', options, 'sediment-test-disk', mountPoint],
    { stdio: ['ignore', 'ignore', 'pipe', fuse], encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`no FUSE mount: ${stderr}`);
}

/** @returns the length of the request, undefined when the file system was unmounted */
function nextRequest(fuse: number, message: Buffer): number | undefined {
  for (;;) {
    try {
      return readSync(fuse, message);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENODEV') return undefined;
      // the asker was interrupted
      if (code !== 'ENOENT' && code !== 'EINTR') throw error;
    }
  }
}

type Answer = (request: FuseRequest) => Buffer | undefined;

function answersOf(image: number, log: number): Answer {
  const { size } = fstatSync(image);
  const answers: Record<number, Answer> = {
    [OPCODE.initialise]: (request) => replyTo(request, initialiseBody(request)),
    [OPCODE.lookup]: (request) =>
      request.body.toString('latin1') === 'disk\0'
        ? replyTo(request, entryBody(FILE_NODE, size))
        : refuse(request, 'ENOENT'),
    [OPCODE.getAttributes]: (request) => replyTo(request, attributesBody(request.node, size)),
    [OPCODE.setAttributes]: (request) => replyTo(request, attributesBody(request.node, size)),
    [OPCODE.open]: (request) => replyTo(request, openBody()),
    [OPCODE.openDirectory]: (request) => replyTo(request, openBody()),
    [OPCODE.statFileSystem]: (request) => replyTo(request, fileSystemBody()),
    [OPCODE.read]: (request) => replyTo(request, read(image, request)),
    [OPCODE.write]: (request) => replyTo(request, write(image, log, request)),
    [OPCODE.sync]: (request) => {
      writeSync(log, flushRecord());
      return replyTo(request);
    },
    [OPCODE.flush]: (request) => replyTo(request),
    [OPCODE.release]: (request) => replyTo(request),
    [OPCODE.releaseDirectory]: (request) => replyTo(request),
    [OPCODE.forget]: () => undefined,
    [OPCODE.forgetSeveral]: () => undefined,
  };
  return (request) => (answers[request.opcode] ?? ((unknown) => refuse(unknown, 'ENOSYS')))(request);
}

function read(image: number, { body }: FuseRequest): Buffer {
  const { offset, size } = parseTransfer(body);
  const bytes = Buffer.alloc(size);
  return bytes.subarray(0, readSync(image, bytes, 0, size, offset));
}

function write(image: number, log: number, { body }: FuseRequest): Buffer {
  const { offset, size, bytes } = parseTransfer(body);
  writeSync(image, bytes, 0, size, offset);
  writevSync(log, [writeRecordHeader(offset, size), bytes]);
  return writtenBody(size);
}

function refuse(request: FuseRequest, code: 'ENOENT' | 'ENOSYS'): Buffer {
  return replyTo(request, undefined, constants.errno[code]);
}

const [mountPoint = '', imagePath = '', logPath = ''] = process.argv.slice(2);
serve(mountPoint, imagePath, logPath);
