import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type DamagedForm,
  damagedDirs,
  damagedDockerArchives,
  damagedLayouts,
  damagedOciArchives,
  writeForm,
} from '../support/images/damagedForms.ts';
import { DESTINATIONS, referenceIn } from '../support/images/references.ts';
import { peersSkipReason, peerTitle, skopeo } from '../support/peers.ts';
import { expectRefusal } from '../support/refusal.ts';
import { sediment } from '../support/sediment.ts';
import { makeStoreRoot, type StoreRoot } from '../support/storeRoot.ts';

const all = [...damagedDockerArchives, ...damagedLayouts, ...damagedOciArchives, ...damagedDirs];

/** All that lies beside the store, with sizes. */
function listing({ path }: StoreRoot): string[] {
  return readdirSync(path, { recursive: true })
    .map(String)
    .filter((name) => !/^(graph|run|libpod)\//.test(name))
    .map(
      (name) => `${name} ${statSync(join(path, name)).isDirectory() ? '' : statSync(join(path, name)).size}`,
    )
    .sort();
}

describe.skipIf(peersSkipReason)(peerTitle('a source that cannot be copied'), () => {
  // each goes to another kind of destination, so that all kinds are left clean after all sorts of failures
  const cases = all.map((form, i) => ({
    ...form,
    to: DESTINATIONS[i % DESTINATIONS.length] as (typeof DESTINATIONS)[number],
  }));

  it.concurrent.each(cases)('$title, to $to', async ({ to, ...form }) => {
    await using store = makeStoreRoot();
    const source = join(store.path, 'source');
    const from = writeForm(form, source);
    const destination = referenceIn(store, to, { path: 'made', name: 'localhost/made:1' });
    // a store that exists: otherwise opening it makes one
    await sediment(store, ['images']);
    const before = listing(store);
    const says = form.says.map((text) => (text === 'SOURCE' ? source : text));
    await expectRefusal(store, ['copy', from, destination], { code: form.code, says });
    expect(listing(store)).toEqual(before);
    await agreesWithSkopeo(store, from, form);
  });
});

async function agreesWithSkopeo(store: StoreRoot, from: string, { peer }: DamagedForm): Promise<void> {
  if (peer === undefined) return;
  const to = `dir:${join(store.path, 'theirs')}`;
  const { exitCode, stderr } = await skopeo(store, ['copy', '--quiet', from, to], { mayFail: true });
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining(peer) });
}
