import { readFileSync } from 'node:fs';
import { containersStorage } from '../../../../../test/support/peers.ts';
import type { StoreRoot } from '../../../../../test/support/storeRoot.ts';
import { node } from './processes.ts';

/** How many layers each side made, and which of them are missing in the end. */
export interface HammerResult {
  readonly ours: number;
  readonly theirs: number;
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
}

const OURS = `
  const { existsSync, readFileSync, renameSync, writeFileSync } = await import('node:fs');
  const { randomBytes } = await import('node:crypto');
  const [directory, milliseconds] = args;
  const file = directory + '/layers.json';
  const lock = lockFor(directory + '/layers.lock');
  for (const end = Date.now() + Number(milliseconds); Date.now() < end; ) {
    const id = randomBytes(32).toString('hex');
    await lock.withWrite(async (guard) => {
      const layers = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
      guard.writeToken();
      await sleep(1);
      writeFileSync(file + '.' + process.pid, JSON.stringify([...layers, { id, created: '2020-01-01T00:00:00Z' }]));
      renameSync(file + '.' + process.pid, file);
    });
    print(id);
    await lock.withRead(() => sleep(1));
  }
`;

/**
 * Lets two processes of ours and two loops of the Go program add records to one `layers.json`, each under
 * its own implementation of the lock.
 */
export async function hammerLayers(store: StoreRoot, milliseconds: number): Promise<HammerResult> {
  const directory = `${store.graphRoot}/${store.driver}-layers`;
  const end = Date.now() + milliseconds;
  const theirs: string[] = [];
  const goLoop = async (): Promise<void> => {
    while (Date.now() < end) theirs.push((await containersStorage(store, ['create-layer'])).stdout.trim());
  };
  await containersStorage(store, ['layers']);
  const children = [
    await node(OURS, directory, String(milliseconds)),
    await node(OURS, directory, String(milliseconds)),
  ];
  await Promise.all([goLoop(), goLoop(), ...children.map((child) => child.exited)]);
  const ours = children.flatMap((child) => child.output.split('\n').filter((line) => line !== ''));
  const made = [...ours, ...theirs.map((line) => line.split('\n')[0] ?? '')];
  const records = JSON.parse(readFileSync(`${directory}/layers.json`, 'utf8')) as Array<{ id: string }>;
  const found = records.map(({ id }) => id);
  return {
    ours: ours.length,
    theirs: theirs.length,
    lost: made.filter((id) => !found.includes(id)),
    doubled: found.filter((id, index) => found.indexOf(id) !== index),
  };
}
