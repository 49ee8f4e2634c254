import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { STORE_STEPS, type StoreStep } from '../support/durability/storeSteps.ts';
import { WIDE_STEP } from '../support/durability/wideStep.ts';
import { titled } from '../support/hostAbility.ts';
import { type Cut, plainCut, shuffledCut } from '../support/powerCut/cuts.ts';
import { type DiskFileSystem, powerCutSkipReason } from '../support/powerCut/fileSystems.ts';
import { judgeCut, type Promised } from '../support/powerCut/judgeCut.ts';
import { type PowerCutRecording, recordPowerCuts } from '../support/powerCut/recordPowerCuts.ts';
import { randomNumbers } from '../support/randomNumbers.ts';
import type { DriverName } from '../support/storeRoot.ts';

/** How often the power goes in each of the stores below; each takes about a second. */
const CUTS = Number(process.env.SEDIMENT_POWER_CUTS ?? 3);
/** Repeats the commands of others at the same times, and cuts at the same places as far as the disk was written alike. */
const SEED = Number(process.env.SEDIMENT_POWER_SEED ?? Math.floor(Math.random() * 2 ** 31));

const ALL: readonly StoreStep[] = Object.values(STORE_STEPS);
const OURS = ALL.filter(({ program }) => program === 'sediment');
const FEW = ['import', 'sharing', 'keeping', 'tag', 'create', 'removeImage'] as const;
const SOME = FEW.map((name) => STORE_STEPS[name]);

interface Store {
  readonly fileSystem: DiskFileSystem;
  readonly driver: DriverName;
  readonly steps: readonly StoreStep[];
}

const random = randomNumbers(SEED);

/** Writes are lost or torn in every second cut. */
function randomCut({ log }: PowerCutRecording): Cut {
  const events = random(log.length) + 1;
  return random(2) === 0 ? plainCut(events) : shuffledCut(log, events, random);
}

/** What is wrong after each of the cuts; empty when nothing is. */
async function judgeAll(recording: PowerCutRecording, cuts: readonly Cut[], promised: Promised) {
  const wrong: string[] = [];
  for (const cut of cuts) {
    const step = recording.steps.find(({ to }) => to > cut.events)?.name ?? 'the end';
    const lines = await judgeCut(recording, cut, promised);
    if (lines.length > 0) wrong.push(`seed ${SEED}, in "${step}", ${cut.title}:\n${lines.join('\n')}`);
  }
  return wrong;
}

describe.each<Store>([
  { fileSystem: 'ext4', driver: 'overlay', steps: ALL },
  { fileSystem: 'ext4', driver: 'vfs', steps: SOME },
  { fileSystem: 'xfs', driver: 'overlay', steps: SOME },
  { fileSystem: 'btrfs', driver: 'overlay', steps: SOME },
])('the power goes, $driver on $fileSystem', ({ fileSystem, driver, steps }) => {
  const skipReason = powerCutSkipReason(fileSystem);

  describe.skipIf(skipReason)(titled('policy ordered', skipReason), () => {
    let recording: PowerCutRecording | undefined;
    beforeAll(async () => {
      recording = await recordPowerCuts({ fileSystem, driver, policy: 'ordered', steps, random });
    });
    afterAll(() => recording?.[Symbol.dispose]());

    it(`at ${CUTS} moments: what is there is whole`, { timeout: 60_000 + CUTS * 10_000 }, async () => {
      const whole = recording as PowerCutRecording;
      const cuts = Array.from({ length: CUTS }, () => randomCut(whole));
      expect(await judgeAll(whole, cuts, 'old or new')).toEqual([]);
    });
  });
});

describe.each<DiskFileSystem>(['ext4', 'xfs', 'btrfs'])(
  'the power goes after a command, on %s',
  (fileSystem) => {
    const skipReason = powerCutSkipReason(fileSystem);

    it.skipIf(skipReason)(titled('policy full: nothing is lost', skipReason), async () => {
      const steps = fileSystem === 'ext4' ? OURS : SOME.filter(({ program }) => program === 'sediment');
      using recording = await recordPowerCuts({
        fileSystem,
        driver: 'overlay',
        policy: 'full',
        steps,
        random,
      });
      const ends = recording.steps.map(({ to }) => shuffledCut(recording.log, to, random));
      const chosen = ends.filter(() => random(ends.length) < CUTS);
      expect(await judgeAll(recording, chosen, 'new')).toEqual([]);
    });

    it.skipIf(skipReason)(
      titled('policy none: content is lost, which shows that losses are seen', skipReason),
      async () => {
        const steps = [STORE_STEPS.import];
        using recording = await recordPowerCuts({
          fileSystem,
          driver: 'overlay',
          policy: 'none',
          steps,
          random,
        });
        const [{ to } = { to: 0 }] = recording.steps;
        expect(await judgeAll(recording, [plainCut(to)], 'old or new')).not.toEqual([]);
        // and once all is written there is nothing wrong
        expect(await judgeAll(recording, [plainCut(recording.log.length)], 'new')).toEqual([]);
      },
    );
  },
);

describe('the power goes while very many files are written', () => {
  const skipReason = powerCutSkipReason('ext4');

  it.skipIf(skipReason)(
    titled('policy ordered: what is there is whole', skipReason),
    async () => {
      const [fileSystem, driver, policy] = ['ext4', 'overlay', 'ordered'] as const;
      using recording = await recordPowerCuts({ fileSystem, driver, policy, steps: [WIDE_STEP], random });
      const { log } = recording;
      const [{ to } = { to: 0 }] = recording.steps;
      // Most of what happens to the disk is files on their way to it; what can go wrong is seen at the end.
      const late = Array.from({ length: CUTS - 1 }, () =>
        shuffledCut(log, to - random(Math.ceil(to / 20)), random),
      );
      expect(await judgeAll(recording, [...late, plainCut(to)], 'old or new')).toEqual([]);
    },
    300_000 + CUTS * 15_000,
  );
});
