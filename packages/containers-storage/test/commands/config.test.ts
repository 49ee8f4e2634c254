import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadStorageConf } from '@sediment/storage';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { configJson } from '../../src/commands/config.ts';
import { jsonText } from '../../src/output/json.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sediment-config-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

async function configOf(text: string): Promise<string> {
  const configFile = join(directory, 'storage.conf');
  writeFileSync(configFile, text);
  return jsonText(configJson(await loadStorageConf({ configFile, env: {}, onWarning: () => undefined })));
}

const ROOTS = 'graphroot = "/g"\nrunroot = "/r"\n';

it('leaves out what is not set, but not the pull options', async () => {
  expect(await configOf(`[storage]\n${ROOTS}`)).toBe('{"runroot":"/r","root":"/g","PullOptions":null}');
});

it('names the settings as the Go command does', async () => {
  const text = `[storage]
driver = "overlay"
driver_priority = ["overlay", "vfs"]
imagestore = "/i"
transient_store = true
${ROOTS}
[storage.options]
disable-volatile = true
root-auto-userns-user = "someone"
auto-userns-min-size = 5
auto-userns-max-size = 9
pull_options = { use_hard_links = "false", enable_partial_images = "true" }
[storage.options.overlay]
mountopt = "nodev"
`;
  expect(await configOf(text)).toBe(
    '{"runroot":"/r","root":"/g","imagestore":"/i","driver":"overlay","driver-priority":["overlay","vfs"],' +
      '"driver-options":["overlay.mountopt=nodev"],"root_auto_ns_user":"someone","auto_userns_min_size":5,' +
      '"auto_userns_max_size":9,"PullOptions":{"enable_partial_images":"true","use_hard_links":"false"},' +
      '"disable-volatile":true,"transient_store":true}',
  );
});
