import { main } from './commandLine/main.ts';

// Not awaited: the bundle is CommonJS, which starts faster and has no await at its top.
void main(process.argv.slice(2)).then((status) => {
  process.exitCode = status;
});
