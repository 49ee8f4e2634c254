import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStore, type Store } from '@sediment/storage';
import { expect } from 'vitest';
import { CommandText } from './commandText.ts';
import { containersStorage } from './peers.ts';
import { type DriverName, makeStoreRoot, type StoreRoot } from './storeRoot.ts';

export interface TwinStep {
  /** The command of the Go program, with the ids and paths of its own store filled in. */
  readonly go: readonly string[] | ((text: CommandText) => readonly string[]);
  /** The same by the library. A text that it returns must be what the Go program prints. */
  ours(store: Store, text: CommandText): Promise<string | readonly string[] | unknown>;
  readonly stdin?: string;
  /** Why ours fails, in other words than the Go program. */
  readonly reason?: string;
}

/** Our library on the store at these roots, as a program opens it that is configured for them. */
export async function openLibrary(
  { graphRoot, runRoot, driver, env }: StoreRoot,
  driverOptions: readonly string[] = [],
): Promise<Store> {
  return await openStore({
    ...{ graphRoot, runRoot, driver, driverOptions },
    env: { ...process.env, ...env },
    onWarning: () => undefined,
  });
}

/**
 * Two stores on which the same is done: by the Go program on one, by our library on the other. After each
 * step both must say the same, or both must fail for the same reason.
 */
export class RecordTwins implements AsyncDisposable {
  readonly peer: StoreRoot;
  readonly own: StoreRoot;
  readonly store: Store;
  readonly #peerText: CommandText;
  readonly #ownText: CommandText;

  private constructor(peer: StoreRoot, own: StoreRoot, store: Store) {
    this.peer = peer;
    this.own = own;
    this.store = store;
    this.#peerText = new CommandText(peer, 'containers-storage');
    this.#ownText = new CommandText(own, 'containers-storage');
  }

  static async open(driver: DriverName = 'overlay'): Promise<RecordTwins> {
    const own = makeStoreRoot({ driver });
    return new RecordTwins(makeStoreRoot({ driver }), own, await openLibrary(own));
  }

  async run(steps: readonly TwinStep[]): Promise<void> {
    for (const step of steps) await this.#step(step);
  }

  /** The text of a record file in both stores, comparable: times and generated ids are blanked. */
  recordTexts(kind: 'layers' | 'images' | 'containers'): { readonly peer: string; readonly ours: string } {
    return {
      peer: this.#peerText.generalise(recordText(this.peer, kind)),
      ours: this.#ownText.generalise(recordText(this.own, kind)),
    };
  }

  /** Names and content of what both stores keep beside the record of an image or a container. */
  itemFiles(kind: 'images' | 'containers', id: string): { readonly peer: unknown; readonly ours: unknown } {
    return { peer: readItems(this.peer, kind, id), ours: readItems(this.own, kind, id) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
    for (const root of [this.peer, this.own]) root.dispose();
  }

  async #step({ go, ours, stdin, reason }: TwinStep): Promise<void> {
    const args = typeof go === 'function' ? go(this.#peerText) : go.map((arg) => this.#peerText.fill(arg));
    for (const arg of args) this.#ownText.fill(arg);
    const what = args.join(' ');
    const theirs = await containersStorage(this.peer, [...args], { input: stdin ?? '', mayFail: true });
    const said = await this.#ours(ours);
    if (theirs.exitCode !== 0) {
      const why = reason ?? theirs.stderr.trim().split(': ').at(-1) ?? '';
      expect(said, what).toEqual({ error: expect.stringContaining(why) });
      return;
    }
    expect(said, what).not.toHaveProperty('error');
    const printed = this.#peerText.generalise(theirs.stdout);
    if (typeof said.value === 'string') {
      expect(this.#ownText.generalise(said.value), what).toBe(printed.replace(/\n$/, ''));
    }
  }

  async #ours(act: TwinStep['ours']): Promise<{ readonly value?: unknown; readonly error?: string }> {
    try {
      const value = await act(this.store, this.#ownText);
      return { value: Array.isArray(value) ? value.join('\n') : value };
    } catch (error) {
      return { error: (error as Error).message };
    }
  }
}

/** Volatile records too, which the Go program of this host keeps among the others. */
function recordText({ graphRoot, driver }: StoreRoot, kind: string): string {
  const directory = join(graphRoot, `${driver}-${kind}`);
  const records = [`${kind}.json`, `volatile-${kind}.json`]
    .map((name) => join(directory, name))
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, 'utf8').slice(1, -1))
    .filter((text) => text !== '');
  return `[${records.join(',')}]`;
}

function readItems({ graphRoot, driver }: StoreRoot, kind: string, id: string): Record<string, string> {
  const directory = join(graphRoot, `${driver}-${kind}`, id);
  if (!existsSync(directory)) return {};
  const files = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isFile());
  const read = ({ name }: { name: string }) => [name, readFileSync(join(directory, name), 'utf8')] as const;
  return Object.fromEntries(files.sort((a, b) => (a.name < b.name ? -1 : 1)).map(read));
}
