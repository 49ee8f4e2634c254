import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fillSpace, mountReadOnly, mountSmall } from '../../../../test/support/smallFileSystems.ts';
import { openStore } from '../../src/index.ts';
import { isRoot, needsRoot, overlayFixture } from './overlayFixture.ts';

const TRIED = ['Native Overlay Diff', 'Using metacopy', 'Supports shifting', 'Supports volatile'];

describe.skipIf(!isRoot)(`what overlay can do is asked${needsRoot}`, () => {
  it('and the answer counts although it cannot be kept', async () => {
    await using fixture = await overlayFixture();
    const { driver, store, warnings } = fixture;
    const wanted = driver.status();
    const again = await fixture.reopen();
    const results = join(store.runRoot, 'overlay');
    rmSync(results, { recursive: true });
    mkdirSync(results);
    writeFileSync(join(results, 'overlay-true'), '');
    mountReadOnly(results);
    expect(again.status()).toEqual(wanted);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toEqual({
      code: 'FEATURE_UNKNOWN',
      message: expect.stringMatching(/tried again next time.*EROFS/),
      path: results,
    });
  });

  it('and is told as unknown where it cannot be tried', async () => {
    await using fixture = await overlayFixture();
    const { driver, warnings } = fixture;
    mountReadOnly(driver.home);
    const status = Object.fromEntries(driver.status());
    expect(status).toMatchObject({ 'Supports d_type': 'true' });
    expect(TRIED.map((key) => status[key])).toEqual(TRIED.map(() => 'unknown'));
    expect(warnings.map(({ code }) => code)).toEqual(['FEATURE_UNKNOWN']);
    expect(warnings[0]?.message).toMatch(/^trying what overlay can do in .*EROFS/);
  });
});

describe.skipIf(!isRoot)(`the facts about a store${needsRoot}`, () => {
  it('are told when the run root is full', async () => {
    await using fixture = await overlayFixture();
    const { graphRoot, runRoot, path } = fixture.store;
    rmSync(runRoot, { recursive: true });
    mkdirSync(runRoot);
    mountSmall(runRoot, 'size=1m');
    const warnings: string[] = [];
    await using store = await openStore({
      graphRoot,
      runRoot,
      driver: 'overlay',
      env: { HOME: path },
      onWarning: ({ code }) => warnings.push(code),
    });
    fillSpace(join(runRoot, 'filler'), 0);
    const { counts, driverStatus } = await store.info();
    expect(counts).toEqual({ layers: 0, images: 0, containers: 0 });
    expect(driverStatus.map(([key]) => key)).toEqual(expect.arrayContaining(TRIED));
    expect(existsSync(join(runRoot, 'overlay'))).toBe(true);
    expect(new Set(warnings)).toEqual(new Set(warnings.length === 0 ? [] : ['FEATURE_UNKNOWN']));
  });
});
