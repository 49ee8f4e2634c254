import { goQuote } from './goQuote.ts';
import type { Streams } from './streams.ts';

const LEVELS = ['error', 'warning', 'info', 'debug'] as const;
export type LogLevel = (typeof LEVELS)[number];

/** Writes a line for those who look for the cause of something. */
export type GoLog = (level: LogLevel, message: string) => void;

/** Log lines on standard error in the form of the Go programs; what is less important than `least` is dropped. */
export function goLog(streams: Streams, least: LogLevel): GoLog {
  return (level, message) => {
    if (LEVELS.indexOf(level) > LEVELS.indexOf(least)) return;
    streams.err(`time="${rfc3339(new Date())}" level=${level} msg=${goQuote(message)}\n`);
  };
}

/** Local time to the second, with its distance from UTC. */
export function rfc3339(time: Date): string {
  const minutes = -time.getTimezoneOffset();
  const local = new Date(time.getTime() + minutes * 60_000).toISOString().slice(0, 19);
  if (minutes === 0) return `${local}Z`;
  const two = (part: number) => String(part).padStart(2, '0');
  const distance = Math.abs(minutes);
  return `${local}${minutes < 0 ? '-' : '+'}${two(Math.floor(distance / 60))}:${two(distance % 60)}`;
}
