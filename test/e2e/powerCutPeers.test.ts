import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { STORE_STEPS } from '../support/durability/storeSteps.ts';
import { titled } from '../support/hostAbility.ts';
import { unmountBelow } from '../support/mounts.ts';
import { containersStorage, peersSkipReason } from '../support/peers.ts';
import { plainCut, shuffledCut } from '../support/powerCut/cuts.ts';
import { powerCutSkipReason } from '../support/powerCut/fileSystems.ts';
import { afterCut } from '../support/powerCut/judgeCut.ts';
import { type PowerCutRecording, recordPowerCuts } from '../support/powerCut/recordPowerCuts.ts';
import { randomNumbers } from '../support/randomNumbers.ts';
import { readRecords } from '../support/records.ts';
import type { StoreRoot } from '../support/storeRoot.ts';
import { podmanImages } from '../support/views.ts';

/** As in powerCuts.test.ts. */
const CUTS = Number(process.env.SEDIMENT_POWER_CUTS ?? 3);
const SEED = Number(process.env.SEDIMENT_POWER_SEED ?? Math.floor(Math.random() * 2 ** 31));
const { import: first, sharing, tag, create, putLayer, removeImage } = STORE_STEPS;
const skipReason = peersSkipReason ?? powerCutSkipReason('ext4');

/** Lists and reads all with the Go programs, which are the first to open the store. */
async function readByPeers(store: StoreRoot): Promise<{ wrong: string[]; layers: number }> {
  if (!existsSync(store.graphRoot)) return { wrong: [], layers: 0 };
  const wrong = await layersThatGoCannotRead(store);
  const { images, layers } = readRecords(store);
  const listed = (await podmanImages(store)).map(({ id }) => id);
  unmountBelow(store.graphRoot);
  const expected = images.map(({ id }) => id).sort();
  if (listed.join() !== expected.join()) wrong.push(`podman lists ${listed}, recorded are ${expected}`);
  return { wrong, layers: layers.length };
}

/** Reads every layer with the Go program. */
async function layersThatGoCannotRead(store: StoreRoot): Promise<string[]> {
  const opened = await containersStorage(store, ['layers'], { mayFail: true });
  if (opened.exitCode !== 0) return [`layers: ${opened.stderr}`];
  const wrong: string[] = [];
  for (const { id, 'diff-digest': expected } of readRecords(store).layers) {
    if (expected === undefined) continue;
    const { exitCode, stdoutBytes, stderr } = await containersStorage(store, ['diff', '--uncompressed', id], {
      mayFail: true,
    });
    const actual = `sha256:${createHash('sha256').update(stdoutBytes).digest('hex')}`;
    if (exitCode !== 0 || actual !== expected) wrong.push(`layer ${id}: ${stderr || actual}`);
  }
  return wrong;
}

describe.skipIf(skipReason)(titled('the power goes, and podman comes first', skipReason), () => {
  const random = randomNumbers(SEED);
  let recording: PowerCutRecording | undefined;
  beforeAll(async () => {
    const steps = [first, sharing, tag, create, putLayer, removeImage];
    recording = await recordPowerCuts({
      fileSystem: 'ext4',
      driver: 'overlay',
      policy: 'ordered',
      steps,
      random,
    });
  });
  afterAll(() => recording?.[Symbol.dispose]());

  it(`at ${CUTS} moments: it can read all layers and images that it sees`, {
    timeout: 60_000 + CUTS * 10_000,
  }, async () => {
    const whole = recording as PowerCutRecording;
    const moments = Array.from({ length: CUTS }, () => random(whole.log.length) + 1);
    const cuts = moments.map((events) => shuffledCut(whole.log, events, random));
    let seen = 0;
    for (const cut of [...cuts, plainCut(whole.log.length)]) {
      const { wrong, layers } = await afterCut(whole, cut, readByPeers);
      expect(wrong, `seed ${SEED}, ${cut.title}`).toEqual([]);
      seen += layers;
    }
    expect(seen).toBeGreaterThan(0);
  });
});
