import { readVersion } from './version.ts';

const [first, ...rest] = process.argv.slice(2);

// The one command that scripts call just to see that the program is there: it loads nothing else.
if ((first === 'version' || first === '--version') && rest.length === 0) {
  process.stdout.write(`sediment ${readVersion()}\n`);
} else {
  const { main } = await import('./commandLine/main.ts');
  process.exitCode = await main(process.argv.slice(2));
}
