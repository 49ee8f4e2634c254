import { mkdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LOCK_RANKS, type LockFile, LockManager, type LockRank } from '../../src/locks/index.ts';
import { tempDir } from './support/tempDir.ts';
import { gate } from './support/timing.ts';

const manager = new LockManager({ backend: 'fcntl', onWarning: () => undefined });

function locks(): Record<LockRank, LockFile> {
  const dir = tempDir();
  const entries = LOCK_RANKS.map((rank) => [rank, manager.lock(`${dir}/${rank}.lock`, { rank })]);
  return Object.fromEntries(entries) as Record<LockRank, LockFile>;
}

describe.skipIf(process.platform !== 'linux')('lock order (needs fcntl locks)', () => {
  it.each(LOCK_RANKS.flatMap((outer) => LOCK_RANKS.map((inner) => [outer, inner] as const)))(
    'checks %s, then %s',
    async (outer, inner) => {
      const all = locks();
      const nested = all[outer].withWrite(() => all[inner].withRead(() => 'both'));
      if (LOCK_RANKS.indexOf(inner) > LOCK_RANKS.indexOf(outer)) expect(await nested).toBe('both');
      else await expect(nested).rejects.toMatchObject({ code: 'LOCK_ORDER' });
    },
  );

  it('names both locks, the reason, and a way out', async () => {
    const { images, layers } = locks();
    await expect(images.withRead(() => layers.tryWrite(() => 1))).rejects.toMatchObject({
      message: `lock "${layers.path}" cannot be taken while "${images.path}" is held: layers locks are taken before images locks`,
      facts: { path: layers.path, object: images.path },
      hint: expect.stringContaining('defect'),
    });
  });

  it('looks at all locks of the chain, not at the last one only', async () => {
    const { storage, containers, leaf, layers } = locks();
    const chain = storage.withWrite(() =>
      containers.withWrite(() => leaf.withWrite(() => layers.withRead(() => 1))),
    );
    await expect(chain).rejects.toMatchObject({ code: 'LOCK_ORDER' });
    await expect(
      storage.withRead(() => containers.withRead(() => storage.withRead(() => 1))),
    ).rejects.toMatchObject({
      message: expect.stringContaining('the same call chain holds it already'),
    });
  });

  it('allows several locks of one rank, those of additional stores last', async () => {
    const dir = tempDir();
    const own = manager.lock(`${dir}/own/layers.lock`, { rank: 'layers' });
    const second = manager.lock(`${dir}/second/layers.lock`, { rank: 'layers' });
    mkdirSync(`${dir}/additional`);
    const additional = manager.lock(`${dir}/additional/layers.lock`, { rank: 'layers', readOnly: true });
    const inOrder = own.withWrite(() => second.withWrite(() => additional.withRead(() => 'all')));
    expect(await inOrder).toBe('all');
    await expect(additional.withRead(() => own.withRead(() => 1))).rejects.toMatchObject({
      code: 'LOCK_ORDER',
    });
  });

  it('judges chains of calls, not the process', async () => {
    const { images, layers } = locks();
    const end = gate();
    const other = images.withWrite(() => end.opened);
    expect(await layers.withWrite(() => 'free')).toBe('free');
    end.open();
    await other;
  });

  it('does not judge work that outlives its scope', async () => {
    const { images, layers } = locks();
    const released = gate();
    let outliving: Promise<string> | undefined;
    await images.withWrite(() => {
      outliving = released.opened.then(() => layers.withRead(() => 'late'));
    });
    released.open();
    expect(await outliving).toBe('late');
  });

  it('judges chains that began while no lock was held, and those that went on meanwhile', async () => {
    const { storage, images, layers } = locks();
    const [begin, goOn, end] = [gate(), gate(), gate()];
    const wrong = () => images.withWrite(() => layers.withRead(() => 1));
    const begunBefore = begin.opened.then(wrong);
    let outliving: Promise<unknown> | undefined;
    await storage.withWrite(() => {
      outliving = goOn.opened.then(wrong);
    });
    // One holds a lock all the time, others come and go.
    const holding = images.withRead(async () => {
      await end.opened;
      return await layers.withRead(() => 2);
    });
    await storage.withWrite(() => 'gone');
    for (const { open } of [begin, goOn, end]) open();
    for (const chain of [begunBefore, outliving, holding]) {
      await expect(chain).rejects.toMatchObject({ code: 'LOCK_ORDER' });
    }
    await expect(wrong()).rejects.toMatchObject({ code: 'LOCK_ORDER' });
    expect(await storage.withWrite(() => layers.withRead(() => 'in order'))).toBe('in order');
  });

  it('holds no lock after it refused one', async () => {
    const { images, layers } = locks();
    await expect(images.withWrite(() => layers.withWrite(() => 1))).rejects.toThrow();
    expect(await layers.tryWrite(() => images.tryWrite(() => 2))).toEqual({
      acquired: true,
      value: { acquired: true, value: 2 },
    });
  });
});
