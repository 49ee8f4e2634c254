import { describe, expect, it } from 'vitest';
import { diskActions } from '../support/durability/diskActions.ts';
import { checkSyncOrder, type SyncPolicy } from '../support/durability/syncOrder.ts';
import { parseTrace } from '../support/durability/traceLines.ts';

const LAYER = 'a'.repeat(64);
const IMAGE = 'b'.repeat(64);
const STAGED = '/s/overlay/tempdirs/t/0';
const TREE = `/s/overlay/${LAYER}/diff`;
const TEMPORARY = '/s/overlay-layers/.tmp-layers.json1';
const RECORD = '/s/overlay-layers/layers.json';

/** Lines of strace with a thread in front. */
function check(policy: SyncPolicy, lines: readonly string[], ...threads: number[]) {
  const trace = lines.map((line, index) => `${threads[index] ?? 7}  ${line}`).join('\n');
  return checkSyncOrder('/s', diskActions(parseTrace(trace)), policy);
}

const violations = (policy: SyncPolicy, lines: readonly string[], ...threads: number[]) =>
  check(policy, lines, ...threads).violations;

const create = (path: string) =>
  `openat(AT_FDCWD</>, "${path}", O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0600) = 3<${path}>`;
const write = (path: string) => `write(3<${path}>, "a, \\"b) = c\\n"..., 11) = 11`;
const fdatasync = (path: string) => `fdatasync(3<${path}>) = 0`;
const fsync = (path: string) => `fsync(3<${path}>) = 0`;
const range = (path: string) =>
  `sync_file_range(3<${path}>, 0, 0, SYNC_FILE_RANGE_WRITE|SYNC_FILE_RANGE_WAIT_AFTER) = 0`;
const syncfs = 'syncfs(3</s>) = 0';
const rename = (from: string, to: string) => `rename("${from}", "${to}") = 0`;

const FILE = `${STAGED}/etc/motd`;
const made = [
  `mkdir("${STAGED}", 0700) = 0`,
  `openat(4<${STAGED}/etc>, "motd", O_WRONLY|O_CREAT|O_EXCL, 0644) = 3<${FILE}>`,
  write(FILE),
];
const record = [create(TEMPORARY), write(TEMPORARY), fdatasync(TEMPORARY), rename(TEMPORARY, RECORD)];
const placed = rename(STAGED, TREE);

describe('the order of a trace', () => {
  it('is right when data is synced, then renamed, then recorded', () => {
    expect(check('ordered', [...made, fsync(FILE), placed, ...record])).toEqual({
      ...{ violations: [], records: 1, placed: 1, removed: 0, barriers: 0, contentSyncs: 1 },
    });
    expect(violations('ordered', [...made, syncfs, placed, ...record])).toEqual([]);
  });

  it.each<[string, SyncPolicy, string[], RegExp]>([
    [
      'data is never synced',
      'ordered',
      [...made, placed, ...record],
      /motd is renamed to .* before its data/,
    ],
    [
      'data is synced after its rename',
      'ordered',
      [...made, placed, fsync(`${TREE}/etc/motd`), ...record],
      /motd is renamed/,
    ],
    [
      'data is written after its sync',
      'ordered',
      [...made, fsync(FILE), write(FILE), placed, ...record],
      /motd is renamed/,
    ],
    [
      'another file is synced',
      'ordered',
      [...made, fsync(`${STAGED}/etc/other`), placed, ...record],
      /motd is renamed/,
    ],
    ['all was synced before the data', 'ordered', [syncfs, ...made, placed, ...record], /motd is renamed/],
    [
      'a file is written in its place',
      'ordered',
      [
        ...made,
        syncfs,
        placed,
        create(`/s/overlay/${LAYER}/lower`),
        write(`/s/overlay/${LAYER}/lower`),
        ...record,
      ],
      /layers\.json is renamed before .*lower is on the disk \(its data\)/,
    ],
    [
      'content comes to its place after the record was synced',
      'ordered',
      [...made, syncfs, ...record.slice(0, 3), placed, ...record.slice(3)],
      /layers\.json is renamed before .*diff.* is on the disk \(its name/,
    ],
    [
      'a document is not synced',
      'ordered',
      [
        create(`/s/overlay-images/${IMAGE}/manifest`),
        write(`/s/overlay-images/${IMAGE}/manifest`),
        create('/s/overlay-images/.tmp-i'),
        write('/s/overlay-images/.tmp-i'),
        fdatasync('/s/overlay-images/.tmp-i'),
        rename('/s/overlay-images/.tmp-i', '/s/overlay-images/images.json'),
      ],
      /images\.json is renamed before .*manifest/,
    ],
    [
      'a kept blob is not synced',
      'ordered',
      [
        create('/s/sediment/tmp/1/0'),
        write('/s/sediment/tmp/1/0'),
        rename('/s/sediment/tmp/1/0', `/s/sediment/oci/blobs/sha256/${IMAGE}`),
      ],
      /is renamed to .*blobs.* before its data/,
    ],
    [
      'a record is not synced',
      'none',
      [...record.slice(0, 2), ...record.slice(3)],
      /layers\.json is renamed unsynced/,
    ],
    [
      'a record is written on after its sync',
      'none',
      [...record.slice(0, 3), write(TEMPORARY), ...record.slice(3)],
      /layers\.json is renamed unsynced/,
    ],
    [
      'a record is only sent to the disk',
      'none',
      [...record.slice(0, 2), range(TEMPORARY), ...record.slice(3)],
      /layers\.json is renamed unsynced/,
    ],
    [
      'content goes before the record says so',
      'ordered',
      [rename(TREE, '/s/overlay/tempdirs/t/1'), ...record],
      /diff goes before a record says so/,
    ],
    [
      'files of content go before the record says so',
      'none',
      [`unlink("${TREE}/etc/motd") = 0`, ...record],
      /motd goes before/,
    ],
    [
      'a record of another kind comes before content goes',
      'ordered',
      [...record, `rmdir("/s/overlay-images/${IMAGE}") = 0`],
      /goes before a record/,
    ],
    [
      'nothing is synced after the last rename',
      'full',
      [...made, syncfs, placed, ...record],
      /layers\.json is not on the disk at the end/,
    ],
    [
      'the wrong directory is synced at the end',
      'full',
      [...made, syncfs, placed, ...record, fsync('/s/overlay')],
      /layers\.json is not on the disk at the end/,
    ],
  ])('is wrong when %s', (_, policy, lines, expected) => {
    expect(violations(policy, lines).join('\n')).toMatch(expected);
  });

  it('is right under the policy none although content is not synced', () => {
    expect(check('none', [...made, placed, ...record])).toMatchObject({
      violations: [],
      contentSyncs: 0,
      barriers: 0,
    });
  });

  it('is right when a record says that content goes', () => {
    const removed = check('ordered', [...record, rename(TREE, '/s/overlay/tempdirs/t/1')]);
    expect(removed).toMatchObject({ violations: [], removed: 1 });
  });

  it('may replace a file of a layer that is written to', () => {
    const lines = [`unlink("${TREE}/etc/motd") = 0`, create(`${TREE}/etc/motd`), ...record];
    expect(violations('none', lines)).toEqual([]);
  });

  it('may take back what was not recorded', () => {
    const lines = [...made, syncfs, placed, `unlink("${TREE}/etc/motd") = 0`, `rmdir("${TREE}/etc") = 0`];
    expect(violations('ordered', lines)).toEqual([]);
  });

  it('is right under the policy full when the directory or everything is synced at the end', () => {
    const ordered = [...made, syncfs, placed, ...record];
    expect(violations('full', [...ordered, fsync('/s/overlay-layers')])).toEqual([]);
    expect(violations('full', [...ordered, syncfs])).toEqual([]);
  });
});

describe('a journal barrier', () => {
  const later = `${STAGED}/etc/last`;
  it('is the sync of a file that was changed after the others were sent to the disk', () => {
    const lines = [...made, range(FILE), create(later), write(later), fsync(later), placed, ...record];
    expect(violations('ordered', lines)).toEqual([]);
  });

  it('is not the sync of a file that was changed before', () => {
    const lines = [create('/s/b'), write('/s/b'), ...made, range(FILE), fsync('/s/b')];
    expect(violations('full', [...lines, placed])).toContainEqual(
      expect.stringContaining('motd is not on the disk'),
    );
  });

  it('does not help what was not sent to the disk', () => {
    const lines = [...made, create(later), write(later), fsync(later), placed, ...record];
    expect(violations('ordered', lines).join('\n')).toMatch(/motd is renamed to .* before its data/);
  });
});

describe('calls of several threads', () => {
  const begun = (call: string) => `${call.slice(0, call.lastIndexOf(')'))} <unfinished ...>`;
  const ended = (name: string) => `<... ${name} resumed>) = 0`;

  it('are put together', () => {
    const lines = [...made, begun(fsync(FILE)), 'close(9) = 0', ended('fsync'), placed, ...record];
    expect(violations('ordered', lines, 7, 7, 7, 8, 7, 8)).toEqual([]);
  });

  it('are in no order when they overlap', () => {
    const [mkdir = '', open = '', written = ''] = made;
    const writing = written.replace(/\) = 11$/, ' <unfinished ...>');
    const lines = [
      mkdir,
      open,
      writing,
      begun(syncfs),
      '<... write resumed>) = 11',
      ended('syncfs'),
      placed,
      ...record,
    ];
    expect(violations('ordered', lines, 7, 7, 7, 8, 7, 8).join('\n')).toMatch(/motd is renamed/);
  });

  it('count only when they succeed', () => {
    const failed = `fsync(3<${FILE}>) = -1 EIO (Input/output error)`;
    expect(violations('ordered', [...made, failed, placed, ...record]).join('\n')).toMatch(/motd is renamed/);
  });

  it('on files that have no name any more are nothing', () => {
    const gone = '/s/overlay/tempdirs/t/#12>(deleted)';
    expect(violations('full', [`write(3<${gone}, "x", 1) = 1`, syncfs])).toEqual([]);
  });
});

describe('names', () => {
  it('are those of all links', () => {
    const linked = `linkat(4<${STAGED}/etc>, "motd", 4<${STAGED}/etc>, "two", 0) = 0`;
    const lines = [...made, linked, fsync(`${STAGED}/etc/two`), placed, ...record];
    expect(violations('ordered', lines)).toEqual([]);
  });

  it('may have any bytes', () => {
    const odd = `${STAGED}/a\\"b\\303\\244\\n`;
    const lines = [create(odd), write(odd), placed, ...record];
    expect(violations('ordered', lines)[0]).toContain('/a"b\u00c3\u00a4\n is renamed');
  });
});
