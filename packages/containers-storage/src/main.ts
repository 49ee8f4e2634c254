import { main } from './commandLine/main.ts';

process.exitCode = await main(process.argv.slice(2));
