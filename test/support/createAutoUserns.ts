/** Makes a container with ids that are free: `createAutoUserns GRAPHROOT RUNROOT DRIVER IMAGE REQUEST`; prints its record. */
import { openStore } from '@sediment/storage';

const [graphRoot = '', runRoot = '', driver = '', image = '', request = '{}'] = process.argv.slice(2);
const store = await openStore({ graphRoot, runRoot, driver });
try {
  const container = await store.containers.create({ image, autoUserns: JSON.parse(request) });
  process.stdout.write(`${container.id}\n`);
} finally {
  await store.close();
}
