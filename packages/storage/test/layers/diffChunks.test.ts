import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeStoreRoot } from '../../../../test/support/storeRoot.ts';
import { openStore } from '../../src/index.ts';
import { noStore } from '../support/tempStore.ts';

it.skipIf(noStore !== undefined)(
  'gives chunks of a diff that stay as they are, for callers that keep several',
  async () => {
    await using place = makeStoreRoot({ driver: 'vfs' });
    const { graphRoot, runRoot } = place;
    await using store = await openStore({ graphRoot, runRoot, driver: 'vfs', env: {} });
    const { id } = await store.layers.create();
    for (const name of ['a', 'b', 'c']) writeFileSync(join(graphRoot, 'vfs/dir', id, name), name.repeat(3));
    const chunks: Uint8Array[] = [];
    await using diff = await store.layers.diff(id);
    for await (const chunk of diff) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('latin1');
    expect(['aaa', 'bbb', 'ccc'].filter((content) => !text.includes(content))).toEqual([]);
  },
);
