import type { CheckEvent } from '@sediment/storage';
import { shortId } from '../output/shortId.ts';
import type { Terminal } from '../output/terminal.ts';

/** Shows a check to a person who watches. */
export interface CheckProgress {
  onEvent(event: CheckEvent): void;
  /** Must be called in the end, after a failure too. */
  stop(): void;
}

const CLEAR_LINE = '\r\u001b[2K';

/** One line that says which layer is being read; nothing where there is no screen. */
export function checkProgress({ screen }: Pick<Terminal, 'screen'>): CheckProgress {
  let drawn = false;
  return {
    onEvent: ({ type, layer, index, total }) => {
      if (screen === undefined || type !== 'layer-begin') return;
      drawn = true;
      screen.write(
        `${CLEAR_LINE}checking layer ${index}/${total} ${shortId(layer)}`.slice(
          0,
          CLEAR_LINE.length + screen.columns - 1,
        ),
      );
    },
    stop: () => {
      if (drawn) screen?.write(CLEAR_LINE);
      drawn = false;
    },
  };
}
