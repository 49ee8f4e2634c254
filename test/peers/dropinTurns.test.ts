import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { runDropin } from '../support/dropin.ts';
import { findDebris } from '../support/leftovers.ts';
import { containersStorageAsIs, peersSkipReason, peerTitle, withRoots } from '../support/peers.ts';
import { randomNumbers } from '../support/randomNumbers.ts';
import { type RunResult, succeeded } from '../support/runProgram.ts';
import { type DriverName, makeStoreRoot, type StoreRoot } from '../support/storeRoot.ts';
import { tarOf } from '../support/tarWriter.ts';

/** For each driver. */
const DURATION_MS = Number(process.env.SEDIMENT_TURNS_SECONDS ?? 10) * 1000;
const SEED = Number(process.env.SEDIMENT_TURNS_SEED ?? randomInt(2 ** 31));

const PROGRAMS = {
  go: (store: StoreRoot, args: readonly string[]) =>
    containersStorageAsIs(store, withRoots(store, args), { mayFail: true }),
  ours: (store: StoreRoot, args: readonly string[]) => runDropin(store, withRoots(store, args)),
} as const;
type Program = keyof typeof PROGRAMS;

/** What a store holds as one program lists it. */
type Listing = Record<'layers' | 'images' | 'containers', ReadonlyArray<{ id: string; parent?: string }>>;

/** Chooses commands that can succeed, or are refused for a reason that both programs see. */
class Chooser {
  readonly #random: (below: number) => number;
  readonly #files: readonly string[];
  #made = 0;

  constructor(seed: number, files: readonly string[]) {
    this.#random = randomNumbers(seed);
    this.#files = files;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.#random(choices.length)] as T;
  }

  command({ layers, images, containers }: Listing): string[] {
    const layer = this.pick(layers)?.id;
    const image = this.pick(images)?.id;
    const container = this.pick(containers)?.id;
    const any = this.pick([layer, image, container].filter((id) => id !== undefined));
    const kinds = [
      this.#named('create-layer', layer),
      [
        ...this.#named('import-layer'),
        '--file',
        this.pick(this.#files),
        ...(layer === undefined ? [] : [layer]),
      ],
      ...(layer === undefined ? [] : this.#ofLayer(layer)),
      ...(image === undefined ? [] : this.#ofImage(image)),
      ...(container === undefined ? [] : this.#ofContainer(container)),
      ...(any === undefined ? [] : this.#ofAny(any)),
    ];
    return this.pick(kinds);
  }

  #named(command: string, ...rest: Array<string | undefined>): string[] {
    this.#made += 1;
    const parent = rest.filter((word) => word !== undefined);
    return [command, '--name', `n${this.#random(12)}`, '--id', `id${this.#made}`, ...parent];
  }

  #ofLayer(layer: string): string[][] {
    return [
      this.#named('create-image', layer),
      ['mount', layer],
      ['unmount', layer],
      ['delete-layer', layer],
      ['set-layer-data', '--file', this.pick(this.#files), layer, `item ${this.#random(3)}`],
      ['diff', '-u', layer],
    ];
  }

  #ofImage(image: string): string[][] {
    return [
      this.#named('create-container', image),
      this.#named('create-container', image),
      ['delete-image', image],
      ['set-image-data', '--file', this.pick(this.#files), image, this.pick(['manifest', 'Config', 'plain'])],
    ];
  }

  #ofContainer(container: string): string[][] {
    return [
      ['mount', container],
      ['unmount', '--force', container],
      ['delete-container', container],
      ['set-container-data', '--file', this.pick(this.#files), container, 'notes'],
      ['get-container-run-dir', container],
    ];
  }

  #ofAny(any: string): string[][] {
    const name = `n${this.#random(12)}`;
    return [
      ['add-names', '--name', name, any],
      ['set-names', '--name', name, any],
      ['set-metadata', '--metadata', `about ${name}`, any],
      ['delete', any],
    ];
  }
}

function writeLayers(store: StoreRoot): string[] {
  const items = ['a', 'b'].map((name) => [
    { name: 'etc/', type: 'directory' as const },
    { name: `etc/${name}`, content: name },
    { name: 'etc/.wh.gone' },
  ]);
  return items.map((entries, i) => {
    const path = join(store.path, `layer${i}`);
    writeFileSync(path, i === 0 ? tarOf(entries) : gzipSync(tarOf(entries)));
    return path;
  });
}

async function list(store: StoreRoot, program: Program): Promise<Listing> {
  const one = async (kind: keyof Listing): Promise<[string, unknown]> => {
    const { stdout } = succeeded(await PROGRAMS[program](store, [kind, '--json']));
    return [kind, JSON.parse(stdout) ?? []];
  };
  const listed = await Promise.all([one('layers'), one('images'), one('containers')]);
  return Object.fromEntries(listed) as Listing;
}

/** Commands that fail leave everything as it was, and neither program ever breaks. */
function complaintsAbout(program: Program, args: readonly string[], result: RunResult): string[] {
  const broken =
    result.exitCode === null || result.exitCode > 1 || /panic|TypeError|\bat file:/.test(result.stderr);
  return broken ? [`${program}: ${args.join(' ')}: ${result.exitCode} ${result.stderr}`] : [];
}

describe.skipIf(peersSkipReason).each<DriverName>(['overlay', 'vfs'])(
  peerTitle(`turns of the Go command and ours on one store, %s, seed ${SEED}`),
  (driver) => {
    it('show the same store to both', async () => {
      await using store = makeStoreRoot({ driver });
      const chooser = new Chooser(SEED, writeLayers(store));
      const end = Date.now() + DURATION_MS;
      const history: string[] = [];
      let now: Listing = { layers: [], images: [], containers: [] };
      while (Date.now() < end) {
        const program = chooser.pick(['go', 'ours'] as const);
        const args = chooser.command(now);
        const result = await PROGRAMS[program](store, args);
        history.push(`${program} ${args.join(' ')} → ${result.exitCode} ${result.stderr.trim()}`);
        const [theirs, own] = await Promise.all([list(store, 'go'), list(store, 'ours')]);
        expect({ own, broken: complaintsAbout(program, args, result) }, history.join('\n')).toEqual({
          own: theirs,
          broken: [],
        });
        now = theirs;
      }
      expect(history.length).toBeGreaterThan(5);
      expect(findDebris(store)).toEqual([]);
    });
  },
);
